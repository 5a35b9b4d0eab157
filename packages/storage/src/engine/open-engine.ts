import { tmpdir } from 'node:os'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type * as z from 'zod'
import { boundTypes } from './bound-types.ts'
import { toStorageError } from './engine-error.ts'
import { keepLeadingMarks } from './keep-leading-marks.ts'
import { toPlain } from './plain-value.ts'
import { giveInstance, type Instance, takeInstance } from './spare-instances.ts'

keepLeadingMarks()

export type EngineValue = DuckDBValue
export type EngineParameters = Record<string, EngineValue>

export interface EngineOptions {
  /** DuckDB's `memory_limit`; what the writers use comes on top. Default '1GB'. */
  memoryLimit?: string
  /** Default 1, and 2 from the first large file on: a laptop stays usable beside us. */
  threads?: number
  /** Where sorts spill. Default: the system's temporary folder, never the workspace. */
  spillFolder?: string
}

/**
 * An in-memory DuckDB that attaches files and forgets them. Macros and views saved in an attached store do not resolve here unless
 * asked for by its alias, which keeps a hostile store from shadowing built-in functions.
 *
 * One engine may attach a file once; two engines of one process must never attach the same `store.duckdb` at the same time
 * (POSIX locks do not conflict inside a process, and closing one drops the lock of both).
 */
export class Engine {
  readonly #instance: Instance
  readonly connection: DuckDBConnection
  /** Connections besides the first that may be at work. */
  #others = 0
  #mayWiden: boolean

  private constructor(instance: Instance, connection: DuckDBConnection, mayWiden: boolean) {
    this.#instance = instance
    this.connection = connection
    this.#mayWiden = mayWiden
  }

  static async open(options: EngineOptions = {}): Promise<Engine> {
    const { instance, connection } = await takeInstance({
      memoryLimit: options.memoryLimit ?? '1GB',
      threads: options.threads ?? 1,
      spillFolder: options.spillFolder ?? tmpdir(),
    })
    return new Engine(instance, connection, options.threads === undefined)
  }

  /**
   * Told of the files that are going to be read. While one thread is at work DuckDB waits for it in a loop, which takes a whole processor: with
   * little data a second one is slower than none.
   */
  async expect(bytes: number): Promise<void> {
    if (!this.#mayWiden || bytes < worthThreads) return
    this.#mayWiden = false
    await this.run('SET threads = 2')
  }

  /** Runs one statement for its effect. */
  async run(sql: string, parameters?: EngineParameters): Promise<void> {
    await this.#guard(() => this.connection.run(sql, parameters, boundTypes(parameters)))
  }

  /** All rows, each checked against `schema`. BIGINTs come as numbers when safe; cast timestamps to VARCHAR in SQL. */
  async rows<S extends z.ZodType>(schema: S, sql: string, parameters?: EngineParameters): Promise<z.output<S>[]> {
    const reader = await this.#guard(() => this.connection.runAndReadAll(sql, parameters, boundTypes(parameters)))
    return reader.getRowObjectsJS().map((row) => schema.parse(toPlain(row)))
  }

  /** The only row; throws when there is none. */
  async one<S extends z.ZodType>(schema: S, sql: string, parameters?: EngineParameters): Promise<z.output<S>> {
    const [row] = await this.rows(schema, sql, parameters)
    if (row === undefined) throw new Error(`Expected one row from: ${sql.slice(0, 120)}`)
    return row
  }

  /** A streaming result; read with `fetchChunk()` until it is null or empty. */
  async stream(sql: string, parameters?: EngineParameters) {
    return this.#guard(() => this.connection.stream(sql, parameters, boundTypes(parameters)))
  }

  /** A second connection to the same memory, for statements that must not queue behind this one. */
  async connect(): Promise<DuckDBConnection> {
    this.#others += 1
    return this.#instance.database.connect()
  }

  /** Closes such a connection, once, after work that went well and is over: it does not keep the engine from being used again. */
  disconnect(connection: DuckDBConnection): void {
    connection.closeSync()
    this.#others -= 1
  }

  /** Connections first, then the instance: otherwise the files stay open. */
  close(): void {
    this.connection.closeSync()
    this.#instance.database.closeSync()
  }

  /** As `close`, after work that went well: what is left may be used again, unless another connection may still be at it. */
  async release(): Promise<void> {
    if (this.#others > 0) return this.close()
    this.connection.closeSync()
    await giveInstance(this.#instance)
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toStorageError(error)
    }
  }
}

// 100 000 predictions are about 50 MB of metadata.
const worthThreads = 32e6

/** Lends an engine for the length of `work`. After an error it is closed; otherwise it may be used again, with nothing of this left in it. */
export const withEngine = async <T>(options: EngineOptions, work: (engine: Engine) => Promise<T>): Promise<T> => {
  const engine = await Engine.open(options)
  let result: T
  try {
    result = await work(engine)
  } catch (error) {
    engine.close()
    throw error
  }
  await engine.release()
  return result
}
