import { openAsBlob } from 'node:fs'
import { tableFromIPC } from 'apache-arrow'
import { ParquetFile } from 'parquet-wasm'
import { blocksOfBatches } from './arrow-block.ts'
import type { RowBlock } from './column-block.ts'

/** A Parquet file open in parquet-wasm, read by ranges: one row group at a time is in memory. */
export class ParquetDecoder {
  readonly #file: ParquetFile
  readonly rowGroups: number

  private constructor(file: ParquetFile) {
    this.#file = file
    this.rowGroups = file.metadata().numRowGroups()
  }

  static async open(path: string): Promise<ParquetDecoder> {
    return new ParquetDecoder(await ParquetFile.fromFile(await openAsBlob(path)))
  }

  async rowGroup(index: number): Promise<RowBlock> {
    const table = await this.#file.read({ rowGroups: [index], batchSize: largestRowGroup })
    return blocksOfBatches(tableFromIPC(table.intoIPCStream()).batches)
  }

  close(): void {
    this.#file.free()
  }
}

// One batch per row group, so that nothing needs to be joined.
const largestRowGroup = 131_072
