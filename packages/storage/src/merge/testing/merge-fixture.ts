import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { withArrayReader } from '../../arrays/array-reader.ts'
import { hashDatasetArrays } from '../../arrays/dataset-hash.ts'
import { arrayFileName } from '../../arrays/file-name.ts'
import { buildCatalog } from '../../catalog/build-catalog.ts'
import { storeTableNames, storeTables } from '../../catalog/catalog-schema.ts'
import { findCatalog } from '../../catalog/find-catalog.ts'
import { attachReadOnly } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { type MadePrediction, makeParquet, makeStore } from '../../testing/make-store.ts'
import { resolveWorkspace } from '../../workspace/resolve-workspace.ts'
import { digestOf } from '../merge-sql.ts'

export interface MadeForMerge extends MadePrediction {
  readonly metric?: string
  readonly model?: string
  readonly created?: string
}

export interface WorkspaceToMake {
  readonly predictions?: readonly MadeForMerge[]
  readonly extra?: readonly string[]
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

/** A workspace of the hybrid generation: one run, per dataset a pipeline, a chain and a Parquet file. */
export const makeHybrid = async (root: string, { predictions = [], extra = [] }: WorkspaceToMake): Promise<string> => {
  await mkdir(join(root, 'arrays'), { recursive: true })
  const changes = predictions.flatMap(({ id, metric, model, created }) => [
    ...(metric === undefined ? [] : [`UPDATE predictions SET metric = ${quoted(metric)} WHERE prediction_id = ${quoted(id)}`]),
    ...(model === undefined ? [] : [`UPDATE predictions SET model_name = ${quoted(model)} WHERE prediction_id = ${quoted(id)}`]),
    ...(created === undefined ? [] : [`UPDATE predictions SET created_at = ${quoted(created)} WHERE prediction_id = ${quoted(id)}`]),
  ])
  const fixed = [
    "UPDATE runs SET created_at = '2026-01-01'",
    "UPDATE pipelines SET created_at = '2026-01-01'",
    "UPDATE chains SET created_at = '2026-01-01'",
  ]
  await makeStore(join(root, 'store.duckdb'), { release: '0.8.1', predictions, extra: [...fixed, ...changes, ...extra] })
  const byFile = Map.groupBy(
    predictions.filter((row) => row.y !== null),
    (row) => arrayFileName(row.dataset ?? 'wheat'),
  )
  for (const [name, rows] of byFile) await makeParquet(join(root, 'arrays', name), rows)
  return root
}

export interface Snapshot {
  /** Digest of the rows of each table, whatever their order. */
  readonly tables: Record<string, { rows: number; digest: string }>
  /** Of the arrays of each dataset, as expected.json has it. */
  readonly arrays: Record<string, string>
  readonly predictions: readonly { id: string; dataset: string; score: number | null; chain: string | null; hasArrays: boolean }[]
}

/** What a workspace holds, through its catalog. */
export const snapshotOf = async (path: string, cacheFolder: string): Promise<Snapshot> => {
  const resolved = await resolveWorkspace(path)
  const { fresh } = await findCatalog(resolved, { cacheFolder })
  const catalog = fresh ?? (await buildCatalog(resolved, { cacheFolder }))
  return withEngine({}, async (engine) => {
    await attachReadOnly(engine, catalog.path, 'catalog')
    const tables: Snapshot['tables'] = {}
    for (const table of storeTableNames) {
      const columns = storeTables[table].map(({ name }) => `"${name}"`)
      tables[table] = await engine.one(
        z.object({ rows: z.number(), digest: z.string() }),
        `SELECT count(*) AS rows, sha256(coalesce(string_agg(d, '' ORDER BY d), '')) AS digest FROM (SELECT ${digestOf(...columns)} AS d FROM catalog.main.${table})`,
      )
    }
    const predictions = await engine.rows(
      z.object({
        id: z.string(),
        dataset: z.string(),
        score: z.custom<number | null>(),
        chain: z.string().nullable(),
        hasArrays: z.boolean(),
        source: z.string().nullable(),
      }),
      `SELECT prediction_id AS id, dataset_name AS dataset, val_score AS score, chain_id AS chain, has_arrays AS "hasArrays", array_source AS source
       FROM catalog.main.predictions ORDER BY prediction_id`,
    )
    const arrays: Record<string, string> = {}
    for (const [dataset, rows] of Map.groupBy(predictions, (row) => row.dataset)) {
      const refs = rows.map(({ id, source }) => ({ prediction_id: id, array_source: source }))
      arrays[dataset] = await withArrayReader({}, (reader) => hashDatasetArrays(reader, resolved, refs, { emptyAsNull: true }))
    }
    return { tables, arrays, predictions: predictions.map(({ source: _, ...row }) => row) }
  })
}

/** Any query over a store. The store must be closed. */
export const queryStore = (path: string, sql: string): Promise<Record<string, unknown>[]> =>
  withEngine({}, async (engine) => {
    await attachReadOnly(engine, join(path, 'store.duckdb'), 's')
    await engine.run('USE s')
    const rows = await engine.rows(z.record(z.string(), z.unknown()), sql)
    await engine.run('USE memory')
    return rows
  })
