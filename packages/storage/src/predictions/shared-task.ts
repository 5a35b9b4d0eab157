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
    this.#waiting += 1
    try {
      return await (signal === undefined ? this.#result : Promise.race([this.#result, aborted(signal)]))
    } finally {
      this.#waiting -= 1
      if (this.#waiting === 0) this.#abort.abort(new DOMException('Nobody waits for this result any more', 'AbortError'))
    }
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
