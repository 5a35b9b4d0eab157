import { Engine } from '../engine/open-engine.ts'

/** An engine for the files of other programs; opened by the first who needs it. */
export class LazyEngine {
  #engine: Promise<Engine> | undefined

  get(): Promise<Engine> {
    this.#engine ??= Engine.open({ memoryLimit: '512MB' })
    return this.#engine
  }

  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined)
    this.#engine = undefined
    await engine?.release()
  }
}

/** Lends an engine for the length of `work`. */
export const withLazyEngine = async <T>(work: (engine: LazyEngine) => Promise<T>): Promise<T> => {
  const engine = new LazyEngine()
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}
