import { DOUBLE, type DuckDBAppender, DuckDBDataChunk, VARCHAR } from '@duckdb/node-api'
import { toStorageError } from './engine-error.ts'
import type { Engine } from './open-engine.ts'

/** DuckDB's vectors hold this many values. */
export const CHUNK_ROWS = 2048

/** Rows that the appender keeps before it writes them. */
const FLUSH_ROWS = 32 * CHUNK_ROWS

/**
 * Appends many batches of text and numbers to one table through one chunk, used again and again: the memory of a chunk lies outside
 * the JavaScript heap, so a thousand dropped ones would wait as gigabytes for a collection that nothing calls for.
 */
export class TableAppender {
  readonly #appender: DuckDBAppender
  readonly #chunk: DuckDBDataChunk
  #waiting = 0

  private constructor(appender: DuckDBAppender, chunk: DuckDBDataChunk) {
    this.#appender = appender
    this.#chunk = chunk
  }

  /** `types` are those of all columns of the table, in its order. */
  static async open(
    { connection }: Pick<Engine, 'connection'>,
    target: { alias: string; table: string },
    types: readonly ('text' | 'number')[],
  ): Promise<TableAppender> {
    const appender = await connection.createAppender(target.table, 'main', target.alias)
    const chunk = DuckDBDataChunk.create(
      types.map((type) => (type === 'text' ? VARCHAR : DOUBLE)),
      CHUNK_ROWS,
    )
    return new TableAppender(appender, chunk)
  }

  /** At most `CHUNK_ROWS` rows, as `columns[column][row]`. */
  append(columns: readonly (readonly (string | number | null)[])[]): void {
    guarded(() => {
      const rows = columns[0]?.length ?? 0
      this.#chunk.reset()
      this.#chunk.rowCount = rows
      for (const [index, values] of columns.entries()) this.#chunk.setColumnValues(index, [...values])
      this.#appender.appendDataChunk(this.#chunk)
      this.#waiting += rows
      if (this.#waiting < FLUSH_ROWS) return
      this.#appender.flushSync()
      this.#waiting = 0
    })
  }

  /** Writes what is left; the rows are in the table when this returns. */
  close(): void {
    guarded(() => this.#appender.closeSync())
  }
}

const guarded = (work: () => void): void => {
  try {
    work()
  } catch (error) {
    throw toStorageError(error)
  }
}
