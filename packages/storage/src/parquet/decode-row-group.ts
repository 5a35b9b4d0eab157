import { closeSync, fstatSync, openSync } from 'node:fs'
import { ParquetFile, wasmMemory } from 'parquet-wasm'
import { copyColumn, type RowBlock } from './column-block.ts'
import { FileBlob } from './file-blob.ts'
import { blocksAt } from './wasm-blocks.ts'

/** A Parquet file open in parquet-wasm, read by ranges: one row group at a time is in memory. */
export class ParquetDecoder {
  // A plain descriptor: should the thread be ended, Node closes it.
  readonly #fd: number
  readonly #file: ParquetFile
  readonly rowGroups: number

  private constructor(fd: number, file: ParquetFile) {
    this.#fd = fd
    this.#file = file
    this.rowGroups = file.metadata().numRowGroups()
  }

  static async open(path: string): Promise<ParquetDecoder> {
    const fd = openSync(path, 'r')
    try {
      return new ParquetDecoder(fd, await ParquetFile.fromFile(new FileBlob(fd, 0, fstatSync(fd).size)))
    } catch (error) {
      closeSync(fd)
      throw error
    }
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
    closeSync(this.#fd)
  }
}

// One batch per row group, so that nothing needs to be joined.
const largestRowGroup = 131_072

/** Bytes that decoding has taken so far in this thread. */
export const decoderMemory = (): number => memoryOf(wasmMemory()).byteLength

/** The bytes behind a WebAssembly.Memory, whose type lives in the browser's library only. */
const memoryOf = (memory: unknown): ArrayBufferLike => {
  const buffer: unknown = memory !== null && typeof memory === 'object' ? Reflect.get(memory, 'buffer') : undefined
  if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return buffer
  throw new Error('This release of parquet-wasm keeps its memory elsewhere.')
}
