import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import { isStorageError } from '../errors.ts'
import { arraySelect, readArrayRows } from './array-select.ts'
import type { ArrayRow, ArraySource, LoadOptions } from './array-source.ts'
import type { AttachedStores } from './attached-stores.ts'
import { idCondition } from './id-condition.ts'

const Described = z.object({ column_name: z.string() })

/**
 * Arrays of the legacy table `prediction_arrays`, in the store or in its backup; attached only while reading. Without the table:
 * `arrays_missing`, or nothing when it is `optional`.
 */
export const tableSource = (engine: Engine, stores: AttachedStores, storePath: string, optional = false): ArraySource => ({
  async *load(ids, options = {}) {
    if (ids.length === 0) return
    const table = await acquire(stores, storePath, optional)
    if (table === null) return
    const { relation, columns, release } = table
    try {
      yield* selectRows(engine, relation, columns, ids, options)
    } finally {
      await release()
    }
  },
})

/** The same of a table that is attached already, by its name for FROM. */
export async function* tableRows(
  engine: Engine,
  relation: string,
  ids: readonly string[],
  options: LoadOptions = {},
): AsyncGenerator<ArrayRow[]> {
  const described = await engine.rows(Described, `SELECT column_name FROM (DESCRIBE ${relation})`)
  yield* selectRows(engine, relation, new Set(described.map((row) => row.column_name)), ids, options)
}

async function* selectRows(
  engine: Engine,
  relation: string,
  columns: ReadonlySet<string>,
  ids: readonly string[],
  options: LoadOptions,
): AsyncGenerator<ArrayRow[]> {
  const { sql: condition, parameters } = idCondition(ids)
  const order = options.ordered === true ? 'ORDER BY prediction_id' : ''
  const sql = `SELECT ${arraySelect(columns, options.columns)} FROM ${relation} WHERE ${condition} ${order}`
  for await (const chunk of streamChunks(engine, sql, parameters, options.signal)) yield readArrayRows(chunk)
}

const acquire = async (stores: AttachedStores, storePath: string, optional: boolean) => {
  try {
    return await stores.acquire(storePath)
  } catch (error) {
    if (optional && isStorageError(error, 'arrays_missing')) return null
    throw error
  }
}
