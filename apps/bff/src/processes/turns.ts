/** Lets at most `places` works run at the same time; the others wait in order. */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  /** Resolves when it is this caller's turn; the answer gives the place back and must be called once. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const give = await this.take()
    try {
      return await work()
    } finally {
      give()
    }
  }
}
