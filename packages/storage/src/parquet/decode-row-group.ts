import { openAsBlob } from 'node:fs'
import { ParquetFile, wasmMemory } from 'parquet-wasm'
import { copyColumn, type RowBlock } from './column-block.ts'
import { blocksAt } from './wasm-blocks.ts'

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
    return this.useRowGroup(index, (block) => block.map(copyColumn))
  }

  /** As `rowGroup`, without a copy: the block is in the decoder's memory and gone when `use` returns. */
  async useRowGroup<T>(index: number, use: (block: RowBlock) => T): Promise<T> {
    const table = await this.#file.read({ rowGroups: [index], batchSize: largestRowGroup })
    const exported = table.intoFFI()
    try {
      const batches = Array.from({ length: exported.numArrays() }, (_, batch) => exported.arrayAddr(batch))
      return use(blocksAt(memoryOf(wasmMemory()), exported.schemaAddr(), batches))
    } finally {
      exported.drop()
    }
  }

  close(): void {
    this.#file.free()
  }
}

// One batch per row group, so that nothing needs to be joined.
const largestRowGroup = 131_072

/** The bytes behind a WebAssembly.Memory, whose type lives in the browser's library only. */
const memoryOf = (memory: unknown): ArrayBufferLike => {
  const buffer: unknown = memory !== null && typeof memory === 'object' ? Reflect.get(memory, 'buffer') : undefined
  if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return buffer
  throw new Error('This release of parquet-wasm keeps its memory elsewhere.')
}
