import { type CatalogReader, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { readText, readTextOrNull, readTimestamp, writtenTime } from '../predictions/value-reader.ts'
import { parseDatasets } from './run-datasets.ts'

/** A run as its own row says, before anything is counted. */
export interface RunHead {
  readonly run_id: string
  readonly name: string
  readonly status: string
  readonly created_at: string | null
  readonly completed_at: string | null
  readonly datasets: string[]
  readonly error: string | null
}

/** Every run, newest first. Runs are few (thousands at most); names of datasets are JSON, which only we decode. */
export const readRunHeads = (catalog: CatalogReader, options: QueryOptions = {}): Promise<RunHead[]> =>
  readRows(
    catalog,
    {
      sql: `SELECT run_id, name, coalesce(status, ''), ${writtenTime('created_at')}, ${writtenTime('completed_at')}, datasets, error FROM catalog.runs
        ORDER BY created_at DESC NULLS LAST, run_id`,
      parameters: {},
    },
    (value) => ({
      run_id: readText(value(0)),
      name: readText(value(1)),
      status: readText(value(2)),
      created_at: readTimestamp(value(3)),
      completed_at: readTimestamp(value(4)),
      datasets: parseDatasets(readTextOrNull(value(5))),
      error: readTextOrNull(value(6)),
    }),
    options,
  )
