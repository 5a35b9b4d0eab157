import { Engine } from '../engine/open-engine.ts'

/** An engine for the files of other programs; opened by the first who needs it. */
export class LazyEngine {
  #engine: Promise<Engine> | undefined

  get(): Promise<Engine> {
    this.#engine ??= open()
    return this.#engine
  }

  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined)
    this.#engine = undefined
    engine?.close()
  }
}

const open = async (): Promise<Engine> => {
  const engine = await Engine.open({ memoryLimit: '512MB' })
  // Descriptors are reused, so a cache keyed by their path could serve another file's bytes.
  await engine.run('SET enable_external_file_cache = false')
  return engine
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
