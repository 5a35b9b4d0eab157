import type { PredictionColumn, PredictionRow } from '@nirs-workspace/types'
import { catalogDefinition, type StoreTimes } from '../../catalog/catalog-schema.ts'
import { quotedIdentifier } from '../../engine/attach-store.ts'
import { Engine, type EngineValue } from '../../engine/open-engine.ts'

/** A row as tests write it: doubles as numbers (NaN and infinities included), columns that are left out get plain values. */
export type SampleRow = {
  [Column in PredictionColumn]?: (Column extends `${string}_score` | 'exclusion_rate' ? number | null : PredictionRow[Column]) | undefined
} & { scores?: string | null }

export type SampleTable = 'runs' | 'pipelines' | 'predictions'

/** A catalog in memory with the tables that a built one has. Close it after the test. */
export const openSampleCatalog = async (times?: StoreTimes) => {
  const engine = await Engine.open()
  await engine.run("ATTACH ':memory:' AS catalog")
  for (const sql of catalogDefinition('catalog', times)) await engine.run(sql)
  return {
    engine,
    close: () => engine.close(),
    insert: (table: SampleTable, rows: readonly Record<string, unknown>[]) => insertRows(engine, table, rows),
    insertPredictions: (rows: readonly SampleRow[]) =>
      insertRows(
        engine,
        'predictions',
        rows.map((row) => ({ ...plainRow, search_text: searchTextOf({ ...plainRow, ...row }), ...row })),
      ),
  }
}

export type SampleCatalog = Awaited<ReturnType<typeof openSampleCatalog>>

const plainRow = {
  dataset_name: 'wheat',
  model_name: 'PLS',
  model_class: 'PLSRegression',
  preprocessings: 'raw',
  fold_id: '0',
  fold_kind: 'fold',
  aggregated: false,
  partition: 'val',
  metric: 'rmse',
  task_type: 'regression',
  has_arrays: true,
} satisfies SampleRow

const searchTextOf = (row: SampleRow): string =>
  [row.prediction_id, row.dataset_name, row.model_name, row.preprocessings, row.best_params, row.run_name]
    .join('\n')
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')

/** Text is bound, so that any character may stand in it; the rest is written out. */
const insertRows = async (engine: Engine, table: SampleTable, rows: readonly Record<string, unknown>[]): Promise<void> => {
  const columns = [...new Set(rows.flatMap(Object.keys))]
  if (rows.length === 0) return
  const parameters: Record<string, EngineValue> = {}
  let bound = 0
  const literal = (value: unknown): string => {
    if (typeof value === 'number') return `'${value}'::DOUBLE`
    if (typeof value !== 'string') return value === undefined || value === null ? 'NULL' : String(value)
    bound += 1
    const name = `p${bound}`
    parameters[name] = value
    return `$${name}`
  }
  const values = rows.map((row) => `(${columns.map((column) => literal(new Map(Object.entries(row)).get(column))).join(', ')})`)
  await engine.run(`INSERT INTO catalog.${table} (${columns.map(quotedIdentifier).join(', ')}) VALUES ${values.join(', ')}`, parameters)
}

export const emptyFilter = { equals: {}, ranges: {}, q: '' }
