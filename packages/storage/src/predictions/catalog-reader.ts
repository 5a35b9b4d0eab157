import type { Engine } from '../engine/open-engine.ts'
import { type ChunkParameter, streamChunks } from '../engine/stream-chunks.ts'

/** What the queries need of an open catalog: an engine that has the catalog file attached as `catalog`. */
export interface CatalogReader {
  readonly engine: Engine
}

export interface QueryOptions {
  signal?: AbortSignal | undefined
}

/** SQL with the values that it binds. */
export interface SqlPart {
  readonly sql: string
  readonly parameters: Record<string, ChunkParameter>
}

/** The value of a column (by position in the SELECT) of the row at hand. */
export type ValueAt = (column: number) => unknown

/** Qualified, because `USE` holds for one connection and every query here opens its own. */
export const PREDICTIONS = 'catalog.predictions'

/** Every row of a query, made one by one. */
export const readRows = async <T>(
  catalog: CatalogReader,
  query: SqlPart,
  makeRow: (value: ValueAt) => T,
  { signal }: QueryOptions = {},
): Promise<T[]> => {
  const rows: T[] = []
  for await (const chunk of streamChunks(catalog.engine, query.sql, query.parameters, signal)) {
    const columns: (readonly unknown[])[] = []
    const columnOf = (column: number) => {
      columns[column] ??= chunk.values(column)
      return columns[column]
    }
    for (let row = 0; row < chunk.rowCount; row += 1) rows.push(makeRow((column) => columnOf(column)[row]))
  }
  return rows
}
