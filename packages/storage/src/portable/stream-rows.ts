import { type PredictionFilter, type PredictionRow, SortKey } from '@nirs-workspace/types'
import * as z from 'zod'
import { streamChunks } from '../engine/stream-chunks.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeCount, optionsOf, queryShape } from '../options/option-schemas.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, type SqlPart } from '../predictions/catalog-reader.ts'
import { whereClause } from '../predictions/filter-clause.ts'
import { orderClause } from '../predictions/order-clause.ts'
import { predictionColumns, readPredictionRow } from '../predictions/row-sql.ts'

export interface RowOptions extends QueryOptions {
  /** Finite values first, then non-finite, then null, whatever the direction. Default: by dataset, the newest first. */
  readonly sort?: readonly SortKey[] | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

const Options = optionsOf<RowOptions>({ ...queryShape, sort: z.array(SortKey.strict()).optional(), limit: maybeCount, offset: maybeCount })

export async function* streamRows(catalog: CatalogReader, filter: PredictionFilter, options: RowOptions): AsyncGenerator<PredictionRow> {
  const { sql, parameters } = selectRows(predictionColumns, filter, options)
  for await (const chunk of streamChunks(catalog.engine, sql, parameters, options.signal)) {
    const columns: (readonly unknown[])[] = []
    const columnOf = (column: number) => {
      columns[column] ??= chunk.values(column)
      return columns[column]
    }
    for (let row = 0; row < chunk.rowCount; row += 1) yield readPredictionRow((column) => columnOf(column)[row])
  }
}

/** The rows of a filter, in order, as a query for these columns. */
export const selectRows = (columns: string, filter: PredictionFilter, options: RowOptions): SqlPart => {
  checkGiven(Options, options)
  const { sort = [], limit, offset = 0 } = options
  const where = whereClause(filter)
  const page = `${limit === undefined ? '' : `LIMIT ${limit}`} OFFSET ${offset}`
  const order = sort.length === 0 ? 'ORDER BY rowid' : orderClause([...sort], false)
  return { sql: `SELECT ${columns} FROM (SELECT *, rowid FROM ${PREDICTIONS} ${where.sql}) ${order} ${page}`, parameters: where.parameters }
}
