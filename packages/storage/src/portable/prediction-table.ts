import { PredictionColumnName, type PredictionFilter } from '@nirs-workspace/types'
import { Table } from 'apache-arrow'
import * as z from 'zod'
import { streamChunks } from '../engine/stream-chunks.ts'
import { arrowBatch, arrowExportType, arrowSchema } from '../export/arrow-batch.ts'
import { type CatalogReader, PREDICTIONS } from '../predictions/catalog-reader.ts'
import { writtenTime } from '../predictions/value-reader.ts'
import { type RowOptions, selectRows } from './stream-rows.ts'

const Described = z.object({ column_name: z.string(), column_type: z.string() })

/** The rows of a filter as an Arrow table: numbers as Float64 and Int32, everything else, times included, as text. */
export const predictionTable = async (catalog: CatalogReader, filter: PredictionFilter, options: RowOptions): Promise<Table> => {
  const described = await catalog.engine.rows(Described, `SELECT column_name, column_type FROM (DESCRIBE ${PREDICTIONS})`)
  const types = new Map(described.map((row) => [row.column_name, row.column_type]))
  const columns = PredictionColumnName.options.map((name) => ({ name, type: arrowExportType(types.get(name) ?? 'VARCHAR') }))
  const schema = arrowSchema(columns, new Map())
  const value = (name: string) => (name === 'created_at' ? writtenTime(name) : `"${name}"`)
  const select = columns.map(({ name, type }) => `${value(name)}::${type} AS "${name}"`).join(', ')
  const { sql, parameters } = selectRows(select, filter, options)
  const batches = []
  for await (const chunk of streamChunks(catalog.engine, sql, parameters, options.signal)) batches.push(arrowBatch(schema, columns, chunk))
  return new Table(schema, batches)
}
