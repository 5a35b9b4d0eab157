/**
 * Counts wrong tokens per address. A right token always passes, so nobody can lock the owner out; wrong ones get 429 after `allowed`
 * within a minute.
 */
export class GuessLimit {
  readonly #allowed: number
  readonly #wrong = new Map<string, { count: number; until: number }>()

  constructor(allowed = 50) {
    this.#allowed = allowed
  }

  /** Notes one wrong token; true when this address has had too many. */
  tooMany(address: string, now = Date.now()): boolean {
    const entry = this.#wrong.get(address)
    if (entry === undefined || entry.until < now) {
      if (this.#wrong.size > 10_000) this.#wrong.clear()
      this.#wrong.set(address, { count: 1, until: now + 60_000 })
      return false
    }
    entry.count += 1
    return entry.count > this.#allowed
  }
}
