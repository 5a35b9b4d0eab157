/**
 * Levels of a V1 data page in Parquet's run-length encoding, as runs of one value each, with the length in bytes before them. Levels fit
 * into one byte.
 */
export class LevelRuns {
  #bytes = Buffer.allocUnsafe(1024)
  #length = 4
  #level = -1
  #count = 0

  add(level: number, count: number): void {
    if (count === 0) return
    if (level === this.#level) {
      this.#count += count
      return
    }
    this.#flush()
    this.#level = level
    this.#count = count
  }

  finish(): Buffer {
    this.#flush()
    this.#count = 0
    this.#bytes.writeUInt32LE(this.#length - 4)
    return this.#bytes.subarray(0, this.#length)
  }

  #flush(): void {
    if (this.#count === 0) return
    if (this.#length + 8 > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2)
    // The lowest bit 0 says: one value, repeated.
    let header = this.#count * 2
    while (header >= 128) {
      this.#bytes[this.#length++] = (header % 128) | 128
      header = Math.floor(header / 128)
    }
    this.#bytes[this.#length++] = header
    this.#bytes[this.#length++] = this.#level
  }
}
