import {
  type DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBTypeId,
  type DuckDBValueConverter,
  type Json,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api'
import type { SqlCell } from '@nirs-workspace/types'
import { guarded, type Lane } from './engine-lane.ts'

/** The columns of a result and its rows, chunk by chunk, as JSON keeps them: nothing is rounded, what JSON lacks is text. */
export interface JsonRows {
  readonly columns: readonly { name: string; type: string }[]
  readonly chunks: AsyncGenerator<SqlCell[][]>
}

/** Starts a query; its rows are computed as they are asked for. */
export const streamJsonRows = async (lane: Lane, sql: string): Promise<JsonRows> => {
  const result = await lane.stream(sql)
  const whole = result.columnTypes().map(({ typeId }) => wholeTypes.has(typeId))
  const columns = result.columnNames().map((name, index) => ({ name, type: result.columnType(index).toString() }))
  const chunks = async function* () {
    for (;;) {
      const chunk = await guarded(() => result.fetchChunk())
      if (chunk === null || chunk.rowCount === 0) return
      yield cellsOf(chunk, whole)
    }
  }
  return { columns, chunks: chunks() }
}

const wholeTypes: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
])

/** The client writes infinite dates as days five million years away. */
const convert: DuckDBValueConverter<Json> = (value, type, converter) => {
  if (!(value instanceof DuckDBDateValue)) return JsonDuckDBValueConverter(value, type, converter)
  if (value.days === DuckDBDateValue.PosInf.days) return 'infinity'
  return value.days === DuckDBDateValue.NegInf.days ? '-infinity' : value.toString()
}

const cellsOf = (chunk: DuckDBDataChunk, whole: readonly boolean[]): SqlCell[][] =>
  chunk.convertRows(convert).map((row) => row.map((cell, column) => (whole[column] ? safeNumber(cell) : cell)))

/** The client gives every 64-bit number as text; most of them are counts. */
const safeNumber = (cell: SqlCell): SqlCell => {
  const number = typeof cell === 'string' ? Number(cell) : Number.NaN
  return Number.isSafeInteger(number) ? number : cell
}
