import { randomUUID } from 'node:crypto'
import type { ExportLayout } from '@nirs-workspace/types'
import * as z from 'zod'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import { StorageError } from '../errors.ts'
import type { SqlPart } from '../predictions/catalog-reader.ts'
import type { DatasetExport } from './export-context.ts'

/** The predictions of one export: a table of the engine, one row per prediction, with the place and position of its arrays. */
export interface ExportPlan {
  readonly table: string
  readonly predictions: number
  /** Predictions left out because the list of removed predictions names them. */
  readonly removed: number
  /** Things a reader of the file should know. */
  readonly warnings: readonly string[]
}

const Count = z.object({ count: z.number() })

/** Writes the plan of a dataset under a filter, in order of prediction_id. The catalog must be attached as `catalog`; drop the plan with `dropPlan`. */
export const makePlan = async (
  engine: Engine,
  arraysFolder: string | null,
  { dataset_name: datasetName, layout }: Pick<DatasetExport, 'dataset_name' | 'layout'>,
  where: SqlPart,
): Promise<ExportPlan> => {
  const known = await engine.one(Count, 'SELECT count(*) AS count FROM catalog.main.predictions WHERE dataset_name = $export_dataset', {
    export_dataset: datasetName,
  })
  if (known.count === 0) {
    throw new StorageError('dataset_not_found', `There is no dataset named ${JSON.stringify(datasetName)}.`, {
      hint: 'List the datasets of the workspace.',
    })
  }
  const { table, removed, warnings } = await fillPlan(engine, arraysFolder, {
    sql: `(SELECT * FROM catalog.main.predictions ${where.sql}) WHERE dataset_name = $export_dataset`,
    parameters: { ...where.parameters, export_dataset: datasetName },
  })
  const { count } = await engine.one(Count, `SELECT count(*) AS count FROM ${table}`)
  return { table, predictions: count, removed, warnings: [...warnings, ...(await tellWithoutArrays(engine, table, count, layout))] }
}

/** A plan of what stands behind a FROM, without the predictions that are removed: those on the list whose arrays no store has. */
export const fillPlan = async (
  engine: Engine,
  arraysFolder: string | null,
  { sql, parameters }: SqlPart,
): Promise<Omit<ExportPlan, 'predictions'>> => {
  const table = `memory.main.${quotedIdentifier(`export_${randomUUID()}`)}`
  await runBound(engine, {
    sql: `CREATE TABLE ${table} AS
      SELECT prediction_id, dataset_name, model_name, fold_id, partition, metric, val_score, task_type, n_samples, array_source, NULL::BIGINT AS array_row
      FROM ${sql} ORDER BY prediction_id`,
    parameters,
  })
  return { table, ...(await leaveOutRemoved(engine, arraysFolder, table)) }
}

const runBound = async (engine: Engine, { sql, parameters }: SqlPart): Promise<void> => {
  for await (const chunk of streamChunks(engine, sql, parameters))
    if (chunk.rowCount > 1) throw new Error('Expected a statement without rows')
}

export const dropPlan = (engine: Engine, plan: ExportPlan): Promise<void> => engine.run(`DROP TABLE ${plan.table}`)

/** What lies in a file that cannot be read has a source; these have none. */
const tellWithoutArrays = async (engine: Engine, table: string, predictions: number, layout: ExportLayout): Promise<string[]> => {
  const { count } = await engine.one(Count, `SELECT count(*) AS count FROM ${table} WHERE array_source IS NULL`)
  if (count === 0) return []
  const [were, none, absent] =
    count === 1 ? (['was', 'its row has none', 'it has no row'] as const) : (['were', 'their rows have none', 'they have no rows'] as const)
  const rows = layout === 'sample' ? absent : none
  return [`${count} of ${predictions} predictions ${were} stored without arrays: ${rows}.`]
}

/**
 * Whether a row of predictions is removed, by the list of ids bound as JSON to this parameter. As the array reader has it: the list is of rows
 * in array files, and what lies in a store is there whatever it says.
 */
export const isRemoved = (parameter: string): string =>
  `(coalesce(array_source NOT IN ('table', 'bak'), true) AND prediction_id IN (SELECT unnest(from_json($${parameter}, '["VARCHAR"]'))))`

const leaveOutRemoved = async (engine: Engine, arraysFolder: string | null, table: string) => {
  const tombstones = await readTombstonesIfSound(arraysFolder)
  if (tombstones === null) return { removed: 0, warnings: ['The list of removed predictions is damaged and was not applied.'] }
  if (tombstones.size === 0) return { removed: 0, warnings: [] }
  const condition = isRemoved('ids')
  const parameters = { ids: JSON.stringify([...tombstones.keys()]) }
  const { count } = await engine.one(Count, `SELECT count(*) AS count FROM ${table} WHERE ${condition}`, parameters)
  if (count === 0) return { removed: 0, warnings: [] }
  await engine.run(`DELETE FROM ${table} WHERE ${condition}`, parameters)
  return { removed: count, warnings: [`${count} removed predictions that the metadata still knows were left out.`] }
}
