import type { DuckDBConnection } from '@duckdb/node-api'
import type * as z from 'zod'
import { boundTypes } from './bound-types.ts'
import { toStorageError } from './engine-error.ts'
import type { Engine, EngineParameters } from './open-engine.ts'
import { toPlain } from './plain-value.ts'

/** What a query needs: the engine itself, or a lane of it. */
export type Lane = Pick<Engine, 'run' | 'rows' | 'one' | 'stream' | 'connection'>

/** A second connection to the same engine (same attached files), for work that runs beside the first. Close it before the engine. */
export interface OwnLane extends Lane {
  close(): void
  /** As `close`, once, after work that went well and is over: the lane does not keep the engine from being used again. */
  release(): void
}

export const openLane = async (engine: Engine): Promise<OwnLane> => new ConnectionLane(engine, await engine.connect())

class ConnectionLane implements OwnLane {
  readonly #engine: Engine
  readonly connection: DuckDBConnection

  constructor(engine: Engine, connection: DuckDBConnection) {
    this.#engine = engine
    this.connection = connection
  }

  async run(sql: string, parameters?: EngineParameters): Promise<void> {
    await guarded(() => this.connection.run(sql, parameters, boundTypes(parameters)))
  }

  async rows<S extends z.ZodType>(schema: S, sql: string, parameters?: EngineParameters): Promise<z.output<S>[]> {
    const reader = await guarded(() => this.connection.runAndReadAll(sql, parameters, boundTypes(parameters)))
    return reader.getRowObjectsJS().map((row) => schema.parse(toPlain(row)))
  }

  async one<S extends z.ZodType>(schema: S, sql: string, parameters?: EngineParameters): Promise<z.output<S>> {
    const [row] = await this.rows(schema, sql, parameters)
    if (row === undefined) throw new Error(`Expected one row from: ${sql.slice(0, 120)}`)
    return row
  }

  stream(sql: string, parameters?: EngineParameters) {
    return guarded(() => this.connection.stream(sql, parameters, boundTypes(parameters)))
  }

  close(): void {
    this.connection.closeSync()
  }

  release(): void {
    this.#engine.disconnect(this.connection)
  }
}

/** Runs engine work and turns DuckDB's errors into coded ones. */
export const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw toStorageError(error)
  }
}

/** Interrupts what the lane is doing when the signal says so; the caller then sees the abort as its reason. */
export const interruptible = async <T>(lane: Lane, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
  signal?.throwIfAborted()
  const interrupt = () => lane.connection.interrupt()
  signal?.addEventListener('abort', interrupt)
  try {
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', interrupt)
  }
}
