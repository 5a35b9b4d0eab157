import type { ArraySource } from './array-source.ts'

/**
 * First source first, the second for what the first does not have: how a workspace that stopped in the middle of a migration is read
 * (Parquet, then the table). Rows of the first come before rows of the second, also when ordered.
 */
export const layeredSource = (first: ArraySource, second: ArraySource): ArraySource => ({
  async *load(ids, options) {
    const missing = new Set(ids)
    for await (const rows of first.load(ids, options)) {
      for (const row of rows) missing.delete(row.prediction_id)
      yield rows
    }
    if (missing.size > 0) yield* second.load([...missing], options)
  },
})
