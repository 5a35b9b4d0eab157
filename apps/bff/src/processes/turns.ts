import { StorageError } from '@nirs-workspace/storage'

/** Lets at most `places` works run at the same time; the others wait in order. */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  /**
   * Resolves when it is this caller's turn; the answer gives the place back, once. Who gives up while waiting (`cancelled`) leaves the
   * queue at once.
   */
  async take(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted === true) throw givenUp()
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(signal)
    let given = false
    return () => {
      if (given) return
      given = true
      this.#next()
    }
  }

  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const give = await this.take(signal)
    try {
      return await work()
    } finally {
      give()
    }
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        reject(givenUp())
      }
      this.#waiting.push(begin)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }
}

const givenUp = () => new StorageError('cancelled', 'The request was given up.')
