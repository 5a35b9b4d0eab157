import { type DuckDBConnection, type DuckDBDataChunk, type DuckDBResult, LIST, listValue, VARCHAR } from '@duckdb/node-api'
import { toStorageError } from './engine-error.ts'
import { ListColumn } from './list-vector.ts'
import type { Engine } from './open-engine.ts'

export type ChunkParameter = string | number | bigint | readonly string[]

/** Up to 2 048 rows of a result, read column by column. */
export class Chunk {
  readonly rowCount: number
  readonly #chunk: DuckDBDataChunk

  constructor(chunk: DuckDBDataChunk) {
    this.#chunk = chunk
    this.rowCount = chunk.rowCount
  }

  list(column: number): ListColumn {
    return new ListColumn(this.#chunk.getColumnVector(column))
  }

  /** Values of a column that holds text, numbers, booleans or nulls. */
  values(column: number): readonly unknown[] {
    return this.#chunk.getColumnValues(column)
  }

  /** Values of a VARCHAR column. */
  texts(column: number): readonly (string | null)[] {
    return this.values(column).map((value) => {
      if (value === null || typeof value === 'string') return value
      throw new TypeError(`Expected text in column ${column}`)
    })
  }
}

/**
 * Streams a query over a connection of its own, so that other queries run meanwhile. When the reader stops early or the signal fires,
 * the query is interrupted and drained before the iteration ends: no file it read stays open.
 */
export async function* streamChunks(
  engine: Engine,
  sql: string,
  parameters: Record<string, ChunkParameter> = {},
  signal?: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  signal?.throwIfAborted()
  const connection = await engine.connect()
  const interrupt = () => connection.interrupt()
  signal?.addEventListener('abort', interrupt)
  let result: DuckDBResult | undefined
  let finished = false
  let failed = false
  try {
    result = await start(connection, sql, parameters)
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      signal?.throwIfAborted()
      yield new Chunk(chunk)
    }
    finished = true
    signal?.throwIfAborted()
  } catch (error) {
    failed = true
    signal?.throwIfAborted()
    throw toStorageError(error)
  } finally {
    signal?.removeEventListener('abort', interrupt)
    if (!finished && !failed && result !== undefined) await abandon(connection, result)
    if (finished) engine.disconnect(connection)
    else connection.closeSync()
  }
}

const start = (connection: DuckDBConnection, sql: string, parameters: Record<string, ChunkParameter>): Promise<DuckDBResult> => {
  const lists = Object.entries(parameters).filter(([, value]) => Array.isArray(value))
  const values = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, bindable(value)]))
  return connection.stream(sql, values, Object.fromEntries(lists.map(([name]) => [name, LIST(VARCHAR)])))
}

const bindable = (value: ChunkParameter) =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? value : listValue([...value])

const abandon = async (connection: DuckDBConnection, result: DuckDBResult): Promise<void> => {
  connection.interrupt()
  try {
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; ) chunk = await result.fetchChunk()
  } catch (error) {
    if (!(error instanceof Error && /interrupt/i.test(error.message))) throw toStorageError(error)
  }
}
