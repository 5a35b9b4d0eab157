/** A set of row numbers of one file, a bit each. */
export class RowMarks {
  readonly #bits: Uint8Array
  #count = 0

  constructor(rows: number) {
    this.#bits = new Uint8Array(Math.ceil(rows / 8))
  }

  get count(): number {
    return this.#count
  }

  add(row: number): void {
    if (this.has(row)) return
    this.#bits[row >> 3] = (this.#bits[row >> 3] ?? 0) | (1 << (row & 7))
    this.#count += 1
  }

  has(row: number): boolean {
    return ((this.#bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0
  }

  /** How many of `rows` rows from `first` on are marked. */
  countFrom(first: number, rows: number): number {
    let count = 0
    for (let row = first; row < first + rows; row++) if (this.has(row)) count += 1
    return count
  }
}
