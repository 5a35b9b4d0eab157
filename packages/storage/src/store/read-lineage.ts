import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { maybeText, optionsOf } from '../options/option-schemas.ts'
import { parseDatasets } from '../runs/run-datasets.ts'
import { type Page, PageChoice } from './query-predictions.ts'
import { type KeyedTable, keyColumn } from './refuse-absent.ts'
import { columnsFor, PipelineRecord, RunRecord } from './store-rows.ts'
import { seen } from './store-session.ts'

/** One row by its id; null when the store has none. */
export const getRow = async <S extends z.ZodObject>(
  engine: Engine,
  schema: S,
  table: KeyedTable,
  id: string,
): Promise<z.output<S> | null> => {
  checkText(keyColumn(table), id)
  const [row] = await engine.rows(schema, `SELECT ${columnsFor(schema)} FROM ${seen(table)} WHERE ${keyColumn(table)} = $id`, { id })
  return row ?? null
}

export interface RunFilter {
  readonly status?: string | undefined
  readonly project_id?: string | undefined
  /** Runs that were begun for this dataset or have a pipeline over it, by its exact name. */
  readonly dataset_name?: string | undefined
}

const Filter = optionsOf<RunFilter>({ status: maybeText, project_id: maybeText, dataset_name: maybeText })

/** Newest first. */
export const listRuns = async (engine: Engine, filter: RunFilter = {}, page: Page = {}): Promise<RunRecord[]> => {
  checkGiven(Filter, filter, 'the filter')
  checkGiven(PageChoice, page, 'the page')
  const begun = JSON.stringify(filter.dataset_name === undefined ? [] : await begunFor(engine, filter.dataset_name))
  return engine.rows(
    RunRecord,
    `SELECT ${columnsFor(RunRecord, 'r.')} FROM ${seen('runs')} r
     WHERE ($status IS NULL OR r.status = $status) AND ($project IS NULL OR r.project_id = $project)
       AND ($dataset IS NULL OR list_contains($begun::JSON::VARCHAR[], r.run_id) OR EXISTS (SELECT 1 FROM ${seen('pipelines')} p WHERE p.run_id = r.run_id AND p.dataset_name = $dataset))
     ORDER BY r.created_at DESC, r.run_id LIMIT ${page.limit ?? 100} OFFSET ${page.offset ?? 0}`,
    { status: filter.status ?? null, project: filter.project_id ?? null, dataset: filter.dataset_name ?? null, begun },
  )
}

const BegunFor = z.object({ run_id: z.string(), datasets: z.string().nullable() })

/** Runs say for which datasets they were begun in JSON, which only we decode; their pipelines come later. */
const begunFor = async (engine: Engine, dataset: string): Promise<string[]> => {
  const runs = await engine.rows(BegunFor, `SELECT run_id, datasets::VARCHAR AS datasets FROM ${seen('runs')}`)
  return runs.filter(({ datasets }) => parseDatasets(datasets).includes(dataset)).map(({ run_id }) => run_id)
}

/** In the order in which they were begun. */
export const listPipelines = async (engine: Engine, runId: string): Promise<PipelineRecord[]> => {
  checkText('run_id', runId)
  return engine.rows(
    PipelineRecord,
    `SELECT ${columnsFor(PipelineRecord)} FROM ${seen('pipelines')} WHERE run_id = $runId ORDER BY created_at, pipeline_id`,
    { runId },
  )
}
