import { read } from 'node:fs'
import { promisify } from 'node:util'

const readBytes = promisify(read)

/**
 * Bytes `start` to `end` of an open file as a Blob: parquet-wasm asks for slices of one. What `openAsBlob` gives reads in small pieces
 * with a turn of the event loop for each, which takes four times as long. Where the file ends early, so does the content.
 */
export class FileBlob extends Blob {
  readonly #fd: number
  readonly #start: number
  override readonly size: number

  constructor(fd: number, start: number, end: number) {
    super([])
    this.#fd = fd
    this.#start = start
    this.size = Math.max(0, end - start)
  }

  override slice(start = 0, end = this.size): FileBlob {
    const within = (position: number) => this.#start + Math.min(Math.max(position < 0 ? this.size + position : position, 0), this.size)
    return new FileBlob(this.#fd, within(start), within(end))
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = new ArrayBuffer(this.size)
    let filled = 0
    while (filled < this.size) {
      const { bytesRead } = await readBytes(this.#fd, new Uint8Array(bytes), filled, this.size - filled, this.#start + filled)
      if (bytesRead === 0) return bytes.slice(0, filled)
      filled += bytesRead
    }
    return bytes
  }
}
