import { SharedTask } from './shared-task.ts'

interface Entry<T> {
  readonly task: SharedTask<T>
  /** Undefined while the computation runs. */
  done?: { value: T; cost: number }
}

/** Results by key, the least recently used dropped first once their costs exceed `capacity`. Failures are not kept. */
export class ResultCache<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #capacity: number
  readonly #costOf: (value: T) => number

  constructor(capacity: number, costOf: (value: T) => number) {
    this.#capacity = capacity
    this.#costOf = costOf
  }

  /** The result if it is there already. */
  peek(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry?.done === undefined) return undefined
    this.#touch(key, entry)
    return entry.done.value
  }

  /** The result, computed once for all who ask for it meanwhile. */
  async get(key: string, compute: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    const known = this.#entries.get(key)
    if (known?.done !== undefined) {
      this.#touch(key, known)
      return known.done.value
    }
    const entry = known !== undefined && !known.task.abandoned ? known : this.#start(key, compute)
    return entry.task.wait(signal)
  }

  #start(key: string, compute: (signal: AbortSignal) => Promise<T>): Entry<T> {
    const entry: Entry<T> = { task: new SharedTask((signal) => this.#run(key, () => compute(signal))) }
    this.#entries.set(key, entry)
    return entry
  }

  async #run(key: string, compute: () => Promise<T>): Promise<T> {
    // Lets `#start` store the entry before a computation that fails at once looks for it.
    await Promise.resolve()
    const entry = this.#entries.get(key)
    try {
      const value = await compute()
      if (entry !== undefined) entry.done = { value, cost: this.#costOf(value) }
      this.#evict()
      return value
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
  }

  #touch(key: string, entry: Entry<T>): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
  }

  #evict(): void {
    let cost = 0
    for (const [key, entry] of [...this.#entries].reverse()) {
      cost += entry.done?.cost ?? 0
      if (entry.done !== undefined && cost > this.#capacity) this.#entries.delete(key)
    }
  }
}
