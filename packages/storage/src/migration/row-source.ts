import { interruptible, type OwnLane, openLane } from '../engine/engine-lane.ts'
import type { Engine } from '../engine/open-engine.ts'
import { RowReader, readBlocks } from '../engine/read-blocks.ts'
import type { RowBlock } from '../parquet/column-block.ts'

/** Rows that are read once, in pieces. */
export interface RowSource {
  /** About so many rows and never more, fewer when they have more than about so many bytes; none at the end. */
  takeAbout(rows: number, bytes: number): Promise<RowBlock>
  close(): Promise<void>
}

export type OpenRows = (engine: Engine, signal: AbortSignal | undefined) => Promise<RowSource>

/** The rows of these queries, one after the other, read over a connection of its own. */
export const openQueries = async (engine: Engine, queries: readonly string[], signal: AbortSignal | undefined): Promise<QueryRows> =>
  new QueryRows(await openLane(engine), queries, signal)

export class QueryRows implements RowSource {
  readonly #lane: OwnLane
  readonly #reader: RowReader
  readonly #signal: AbortSignal | undefined

  constructor(lane: OwnLane, queries: readonly string[], signal: AbortSignal | undefined) {
    this.#lane = lane
    this.#reader = new RowReader(readAll(lane, queries))
    this.#signal = signal
  }

  takeAbout(rows: number, bytes: number): Promise<RowBlock> {
    return interruptible(this.#lane, this.#signal, () => this.#reader.takeAbout(rows, bytes))
  }

  /** Exactly so many rows; fewer at the end. */
  take(rows: number): Promise<RowBlock> {
    return interruptible(this.#lane, this.#signal, () => this.#reader.take(rows))
  }

  async close(): Promise<void> {
    await this.#reader.close()
    this.#lane.close()
  }
}

async function* readAll(lane: OwnLane, queries: readonly string[]): AsyncGenerator<RowBlock> {
  for (const sql of queries) yield* readBlocks(lane, sql)
}
