import { type ExportCount, type ExportRequest, PredictionFilter } from '@nirs-workspace/types'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { whereClause } from '../predictions/filter-clause.ts'
import { readNumber, readText } from '../predictions/value-reader.ts'
import { isRemoved } from './export-plan.ts'

export interface CountOptions extends QueryOptions {
  /** Of the workspace. Without it, removed predictions that the metadata still knows are counted, which an export leaves out. */
  readonly arraysFolder?: string | undefined
}

/**
 * How many predictions an export takes of each dataset, by name (with one row per sample, those that have arrays), and what it will warn of:
 * the warnings of the files are known before they are made.
 */
export const countExport = async (
  catalog: CatalogReader,
  { dataset_names, filters, layout }: Pick<ExportRequest, 'dataset_names' | 'filters' | 'layout'>,
  { arraysFolder, ...options }: CountOptions = {},
): Promise<ExportCount> => {
  const where = whereClause(PredictionFilter.parse(filters ?? {}))
  const removed = await readTombstonesIfSound(arraysFolder ?? null)
  const wanted = dataset_names == null ? null : JSON.stringify(dataset_names)
  const taken = layout === 'sample' ? 'NOT gone AND NOT bare' : 'NOT gone'
  const sql = `SELECT dataset_name, count(*) FILTER (${taken}) AS taken, count(*) FILTER (gone), count(*) FILTER (NOT gone AND bare)
    FROM (SELECT dataset_name, ${isRemoved('export_removed')} AS gone, array_source IS NULL AS bare FROM ${PREDICTIONS} ${where.sql})
    ${wanted === null ? '' : `WHERE dataset_name IN (SELECT unnest(from_json($export_datasets, '["VARCHAR"]')))`}
    GROUP BY dataset_name HAVING taken > 0 ORDER BY dataset_name`
  const export_removed = JSON.stringify([...(removed?.keys() ?? [])])
  const parameters = { ...where.parameters, export_removed, ...(wanted === null ? {} : { export_datasets: wanted }) }
  const makeRow = (value: (column: number) => unknown) => ({
    dataset_name: readText(value(0)),
    predictions: readNumber(value(1)),
    removed: readNumber(value(2)),
    without_arrays: readNumber(value(3)),
  })
  const datasets = await readRows(catalog, { sql, parameters }, makeRow, options)
  return {
    predictions: datasets.reduce((sum, { predictions }) => sum + predictions, 0),
    datasets,
    removals_damaged: removed === null,
  }
}
