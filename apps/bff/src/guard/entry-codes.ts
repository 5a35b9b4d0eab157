import { makeToken } from './token.ts'

const lifeMs = 60_000

/**
 * Codes that let one browser in once. The address of a page to open stands in the list of processes for every user of the machine: a token
 * there would let all of them in for as long as the server runs.
 */
export class EntryCodes {
  readonly #ends = new Map<string, number>()

  make(): string {
    const code = makeToken()
    this.#ends.set(code, Date.now() + lifeMs)
    return code
  }

  /** Whether the code was made here less than a minute ago, and never taken before. */
  take(code: string): boolean {
    const end = this.#ends.get(code)
    this.#ends.delete(code)
    return end !== undefined && Date.now() < end
  }
}
