import * as z from 'zod'
import { openParquet } from '../arrays/parquet-file.ts'
import { indexArrays } from '../catalog/array-index.ts'
import { storeRelation } from '../catalog/copy-metadata.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { counted } from './counted-text.ts'
import type { InspectionFinding } from './finding.ts'
import { withAttachedStore } from './open-store.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'
import type { AttachedStore } from './store-facts.ts'

/** The library's Parquet writer stores empty lists as null; that is no difference. */
const lists = ['y_true', 'y_pred', 'y_proba', 'sample_indices', 'weights'].map((name) => ({
  name,
  type: name === 'sample_indices' ? 'INTEGER[]' : 'DOUBLE[]',
}))

/**
 * For a workspace that stopped in the middle of a migration: rows of `arrays/` that differ from the table `prediction_arrays` (any
 * array) or from `predictions` (val_score). Reads all arrays on both sides.
 */
export const findStaleRows = (resolved: ResolvedWorkspace): Promise<InspectionFinding[]> =>
  withEngine({}, async (engine) => {
    const { duckdb } = resolved
    if (duckdb === null) return []
    const index = await indexArrays(engine, resolved)
    const ids = await withAttachedStore(engine, duckdb, 'store', async (store) => {
      const found: string[] = []
      for (const file of index.files) if (file.error === null) found.push(...(await staleIn(engine, resolved.root, file.path, store)))
      return found
    })
    if (ids.length === 0) return []
    const detail = `${counted(ids.length, 'row in arrays/ differs', 'rows in arrays/ differ')} from prediction_arrays. A migration keeps those of the table and sets the others aside.`
    return [{ code: 'stale_parquet_rows', severity: 'warning', count: ids.length, detail, ids: ids.slice(0, 100) }]
  })

const staleIn = async (engine: Engine, root: string, path: string, store: AttachedStore): Promise<string[]> => {
  const file = await openParquet(engine, root, path)
  try {
    const held = lists.filter(({ name }) => file.columns.has(name))
    const differences = held.map(({ name, type }) => `${orNull('f', name, type)} IS DISTINCT FROM ${orNull('t', name, type)}`)
    if (file.columns.has('val_score')) differences.push('f.val_score IS DISTINCT FROM p.val_score')
    const rows = await engine.rows(
      z.object({ id: z.string() }),
      `SELECT f.prediction_id AS id FROM ${file.relation} f
       JOIN array_places a ON a.prediction_id = f.prediction_id AND a.path = $path AND a.position = f.file_row_number
       JOIN ${storeRelation(store, 'prediction_arrays')} t ON t.prediction_id = f.prediction_id
       JOIN ${storeRelation(store, 'predictions')} p ON p.prediction_id = f.prediction_id
       WHERE ${differences.join(' OR ') || 'false'} ORDER BY id`,
      { path },
    )
    return rows.map(({ id }) => id)
  } finally {
    await file.close()
  }
}

const orNull = (relation: string, name: string, type: string): string =>
  `CASE WHEN len(${relation}.${name}) = 0 THEN NULL ELSE ${relation}.${name}::${type} END`
