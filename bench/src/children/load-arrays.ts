// Arrays of ten thousand predictions as typed arrays, through the product's reader and as a bare scan of the same rows.
import { attachReadOnly, findCatalog, openCatalog, resolveWorkspace, withArrayReader, withEngine } from '@nirs-workspace/storage'
import * as z from 'zod'
import { answer, childArgument } from './answer.ts'

const resolved = await resolveWorkspace(childArgument(0))
const cacheFolder = childArgument(1)
const COUNT = 10_000
const ROUNDS = 5

const { fresh } = await findCatalog(resolved, { cacheFolder })
if (fresh === undefined) throw new Error('Build the catalog first.')
const catalog = await openCatalog(fresh)
const Ref = z.object({ prediction_id: z.string(), array_source: z.string().nullable() })
const refs = await catalog.engine.rows(
  Ref,
  `SELECT prediction_id, array_source FROM predictions WHERE has_arrays AND dataset_name = 'wheat_protein' ORDER BY hash(prediction_id) LIMIT ${COUNT}`,
)
catalog.close()

const load_ms: number[] = []
let values = 0
await withArrayReader({}, async (reader) => {
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    values = 0
    for await (const batch of reader.load(resolved, refs)) for (const row of batch) values += row.y_pred?.values.length ?? 0
    load_ms.push(performance.now() - started)
  }
})

const scan_ms: number[] = []
await withEngine({ threads: 2 }, async (engine) => {
  const migrated = refs[0]?.array_source !== 'table'
  if (!migrated) await attachReadOnly(engine, resolved.duckdb ?? '', 'store')
  const relation = migrated
    ? `read_parquet('${`${resolved.arrays}`.replaceAll("'", "''")}/wheat_protein.parquet')`
    : 'store.prediction_arrays'
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    await engine.rows(
      z.object({ n: z.number() }),
      `SELECT sum(list_sum(y_true) + list_sum(y_pred) + list_sum(sample_indices)) AS n FROM (FROM ${relation} LIMIT ${COUNT})`,
    )
    scan_ms.push(performance.now() - started)
  }
})
answer({ load_ms, scan_ms, rows: refs.length, values })
