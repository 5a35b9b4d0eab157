/**
 * One computation that several callers wait for. Each may leave (its signal fires) without spoiling it for the others; when the last
 * one has left, the computation itself is aborted.
 */
export class SharedTask<T> {
  readonly #abort = new AbortController()
  readonly #result: Promise<T>
  #waiting = 0

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.#result = start(this.#abort.signal)
  }

  /** Whether everybody has left before the end. */
  get abandoned(): boolean {
    return this.#abort.signal.aborted
  }

  async wait(signal?: AbortSignal): Promise<T> {
    const { promise: left, reject } = Promise.withResolvers<never>()
    const leave = () => reject(signal?.reason)
    signal?.addEventListener('abort', leave)
    if (signal?.aborted) leave()
    this.#waiting += 1
    try {
      return await Promise.race([this.#result, left])
    } finally {
      signal?.removeEventListener('abort', leave)
      this.#waiting -= 1
      if (this.#waiting === 0) this.#abort.abort(new DOMException('Nobody waits for this result any more', 'AbortError'))
    }
  }
}
