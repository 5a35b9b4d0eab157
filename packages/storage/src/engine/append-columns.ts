import {
  BIGINT,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  LIST,
  listValue,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api'
import { toStorageError } from './engine-error.ts'
import type { Engine } from './open-engine.ts'

/** One column of new rows. Timestamps are microseconds since 1970 without a zone; JSON goes in as text. */
export type ColumnValues =
  | { type: 'varchar'; values: readonly (string | null)[] }
  | { type: 'integer' | 'double' | 'bigint' | 'timestamp'; values: readonly (number | null)[] }
  | { type: 'double[]'; values: readonly (Float64Array | null)[] }
  | { type: 'integer[]'; values: readonly (Int32Array | null)[] }

/** DuckDB's vectors hold this many values; a chunk may not be longer. */
const CHUNK_ROWS = 2048

const engineTypes: Record<ColumnValues['type'], DuckDBType> = {
  varchar: VARCHAR,
  integer: INTEGER,
  double: DOUBLE,
  bigint: BIGINT,
  timestamp: TIMESTAMP,
  'double[]': LIST(DOUBLE),
  'integer[]': LIST(INTEGER),
}

// Declared for arrays; DuckDB's writer only reads `length` and indexes, which typed arrays have too.
const typedList = (values: Float64Array | Int32Array): DuckDBValue => listValue(values as unknown as readonly number[])

const orNull = <T>(value: T | null | undefined, convert: (value: T) => DuckDBValue): DuckDBValue =>
  value === null || value === undefined ? null : convert(value)

const sliceOf = (column: ColumnValues, from: number, to: number): DuckDBValue[] => {
  switch (column.type) {
    case 'bigint':
      return column.values.slice(from, to).map((value) => orNull(value, BigInt))
    case 'timestamp':
      return column.values.slice(from, to).map((value) => orNull(value, (micros) => new DuckDBTimestampValue(BigInt(micros))))
    case 'double[]':
    case 'integer[]':
      return column.values.slice(from, to).map((value) => orNull<Float64Array | Int32Array>(value, typedList))
    default:
      return column.values.slice(from, to)
  }
}

/**
 * Appends rows given as columns, in the order of the table's own columns (every column must be there). Far faster than INSERT:
 * typed arrays become list values without a JavaScript number per element. Constraints are checked when this returns.
 */
export const appendColumns = async (
  engine: Engine,
  target: { alias: string; table: string },
  columns: readonly ColumnValues[],
): Promise<void> => {
  const rows = columns[0]?.values.length ?? 0
  const types = columns.map((column) => engineTypes[column.type])
  try {
    const appender = await engine.connection.createAppender(target.table, 'main', target.alias)
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const to = Math.min(from + CHUNK_ROWS, rows)
      const chunk = DuckDBDataChunk.create(types, to - from)
      chunk.setColumns(columns.map((column) => sliceOf(column, from, to)))
      appender.appendDataChunk(chunk)
    }
    appender.closeSync()
  } catch (error) {
    throw toStorageError(error)
  }
}
