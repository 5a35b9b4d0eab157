import type { DatasetInfo } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { readNumber, readText } from './value-reader.ts'

/** Rows and rows with arrays of every dataset, by name. Bytes on disk are not the catalog's to know. */
export const listDatasets = (catalog: CatalogReader, options: QueryOptions = {}): Promise<Omit<DatasetInfo, 'parquet_bytes'>[]> =>
  readRows(
    catalog,
    {
      sql: `SELECT dataset_name, count(*), count(*) FILTER (has_arrays) FROM ${PREDICTIONS} GROUP BY dataset_name ORDER BY dataset_name`,
      parameters: {},
    },
    (value) => ({ name: readText(value(0)), predictions: readNumber(value(1)), arrays: readNumber(value(2)) }),
    options,
  )
