import { storeTables } from '../catalog/catalog-schema.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { newId } from './merge-sql.ts'

/** Tables that a merge takes from a source, parents first. */
export const lineageTables = ['projects', 'runs', 'pipelines', 'chains', 'artifacts', 'logs'] as const
export type LineageTable = (typeof lineageTables)[number]

export const keyOf: Record<LineageTable | 'predictions', string> = {
  projects: 'project_id',
  runs: 'run_id',
  pipelines: 'pipeline_id',
  chains: 'chain_id',
  artifacts: 'artifact_id',
  logs: 'log_id',
  predictions: 'prediction_id',
}

/** A table or view of the engine that belongs to one source. */
export const ofSource = (source: number, name: string): string => `memory.main.${quotedIdentifier(`s${source}_${name}`)}`

const columnList = (table: LineageTable | 'predictions') => storeTables[table].map(({ name }) => quotedIdentifier(name)).join(', ')

/**
 * Views `s<i>_<table>` over the catalog attached as `source_<i>`: its rows, each id once, and parents made up where rows name none or one
 * that is missing (lone Parquet files, stores whose foreign keys were off). The target insists on parents; nothing is left behind for want of one.
 * What is made up is worked out once, into tables `s<i>_adopted_<table>`: to find it, all predictions are looked at.
 */
export const makeSourceViews = async (engine: Engine, source: number, datasets: readonly string[] | null): Promise<void> => {
  const from = (table: string) => `source_${source}.main.${table}`
  const own = (name: string) => ofSource(source, name)
  const adopt = (table: LineageTable, rows: string) => engine.run(`CREATE TABLE ${own(`adopted_${table}`)} AS ${rows}`)
  const orAdopted = (table: LineageTable) => `UNION ALL BY NAME FROM ${own(`adopted_${table}`)}`
  const only =
    datasets === null ? '' : `WHERE dataset_name IN (SELECT unnest(from_json('${quote(JSON.stringify(datasets))}', '["VARCHAR"]')))`
  const orphanPipeline = newId('pipelines', `'adopted'`, 'dataset_name')
  await engine.run(`CREATE VIEW ${own('predictions')} AS
    SELECT * REPLACE (coalesce(pipeline_id, ${orphanPipeline}) AS pipeline_id) FROM (SELECT DISTINCT ON (prediction_id) ${columnList('predictions')}, has_arrays,
      array_source FROM ${from('predictions')} ${only})`)
  await adopt(
    'chains',
    `SELECT chain_id, min(pipeline_id) AS pipeline_id, '[]' AS steps, 0 AS model_step_idx, min(model_class) AS model_class,
      min(preprocessings) AS preprocessings, min(dataset_name) AS dataset_name
    FROM ${own('predictions')} WHERE chain_id IS NOT NULL AND chain_id NOT IN (SELECT chain_id FROM ${from('chains')}) GROUP BY chain_id`,
  )
  await engine.run(`CREATE VIEW ${own('chains')} AS
    SELECT * REPLACE (coalesce(pipeline_id, ${newId('pipelines', `'adopted'`, `coalesce(dataset_name, '')`)}) AS pipeline_id)
    FROM (SELECT DISTINCT ON (chain_id) ${columnList('chains')} FROM ${from('chains')}) ${orAdopted('chains')}`)
  await adopt(
    'pipelines',
    `SELECT pipeline_id, ${adoptedRun} AS run_id, 'Predictions without a pipeline' AS name, coalesce(min(dataset_name), '') AS dataset_name, 'completed' AS status
    FROM (SELECT pipeline_id, dataset_name FROM ${own('predictions')} UNION ALL SELECT pipeline_id, dataset_name FROM ${own('chains')})
    WHERE pipeline_id NOT IN (SELECT pipeline_id FROM ${from('pipelines')}) GROUP BY pipeline_id`,
  )
  await engine.run(`CREATE VIEW ${own('pipelines')} AS
    SELECT * REPLACE (coalesce(run_id, ${adoptedRun}) AS run_id)
    FROM (SELECT DISTINCT ON (pipeline_id) ${columnList('pipelines')} FROM ${from('pipelines')}) ${orAdopted('pipelines')}`)
  await adopt(
    'runs',
    `SELECT run_id, 'Predictions without a run' AS name, 'completed' AS status FROM ${own('pipelines')}
    WHERE run_id NOT IN (SELECT run_id FROM ${from('runs')}) GROUP BY run_id`,
  )
  await engine.run(`CREATE VIEW ${own('runs')} AS
    SELECT DISTINCT ON (run_id) ${columnList('runs')} FROM ${from('runs')} ${orAdopted('runs')}`)
  for (const table of ['projects', 'artifacts', 'logs'] as const) {
    const within = table === 'logs' ? `WHERE pipeline_id IN (SELECT pipeline_id FROM ${own('pipelines')})` : ''
    await engine.run(`CREATE VIEW ${own(table)} AS
      SELECT DISTINCT ON (${keyOf[table]}) ${columnList(table)} FROM ${from(table)} ${within}`)
  }
}

const adoptedRun = newId('runs', `'adopted'`, `''`)

const quote = (text: string) => text.replaceAll("'", "''")
