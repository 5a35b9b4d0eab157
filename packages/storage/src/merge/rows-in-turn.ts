import type { Engine } from '../engine/open-engine.ts'
import { openQueries, type QueryRows, type RowSource } from '../migration/row-source.ts'
import { type RowBlock, rowsOf } from '../parquet/column-block.ts'

/** Rows of one engine. */
export interface OpenRowsOf {
  readonly engine: Engine
  readonly sql: string
}

/** The rows of several engines, one after the other; each query begins when the one before has ended. */
export const openInTurn = (parts: readonly OpenRowsOf[], signal: AbortSignal | undefined): RowSource => new RowsInTurn(parts, signal)

class RowsInTurn implements RowSource {
  readonly #parts: OpenRowsOf[]
  readonly #signal: AbortSignal | undefined
  #open: QueryRows | null = null

  constructor(parts: readonly OpenRowsOf[], signal: AbortSignal | undefined) {
    this.#parts = [...parts]
    this.#signal = signal
  }

  async takeAbout(rows: number, bytes: number): Promise<RowBlock> {
    for (;;) {
      this.#open ??= await this.#next()
      if (this.#open === null) return []
      const block = await this.#open.takeAbout(rows, bytes)
      if (rowsOf(block) > 0) return block
      await this.close()
    }
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = null
    await open?.close()
  }

  async #next(): Promise<QueryRows | null> {
    const part = this.#parts.shift()
    return part === undefined ? null : openQueries(part.engine, [part.sql], this.#signal)
  }
}
