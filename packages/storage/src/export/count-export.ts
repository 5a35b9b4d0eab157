import { type ExportCount, type ExportRequest, PredictionFilter } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { whereClause } from '../predictions/filter-clause.ts'
import { readNumber, readText } from '../predictions/value-reader.ts'

/** How many predictions an export takes of each dataset, by name; with one row per sample, those that have arrays. */
export const countExport = async (
  catalog: CatalogReader,
  { dataset_names, filters, layout }: Pick<ExportRequest, 'dataset_names' | 'filters' | 'layout'>,
  options: QueryOptions = {},
): Promise<ExportCount> => {
  const where = whereClause(PredictionFilter.parse(filters ?? {}))
  const wanted = dataset_names == null ? null : JSON.stringify(dataset_names)
  const sql = `SELECT dataset_name, count(*) FROM (SELECT * FROM ${PREDICTIONS} ${where.sql})
    WHERE ${layout === 'sample' ? 'array_source IS NOT NULL' : 'true'}
    ${wanted === null ? '' : `AND dataset_name IN (SELECT unnest(from_json($export_datasets, '["VARCHAR"]')))`}
    GROUP BY dataset_name ORDER BY dataset_name`
  const parameters = { ...where.parameters, ...(wanted === null ? {} : { export_datasets: wanted }) }
  const makeRow = (value: (column: number) => unknown) => ({ dataset_name: readText(value(0)), predictions: readNumber(value(1)) })
  const datasets = await readRows(catalog, { sql, parameters }, makeRow, options)
  return { predictions: datasets.reduce((sum, { predictions }) => sum + predictions, 0), datasets }
}
