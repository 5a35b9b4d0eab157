import type { Engine } from '../engine/open-engine.ts'

/** All of it or nothing. */
export const inTransaction = async <T>(engine: Engine, work: () => Promise<T>): Promise<T> => {
  await engine.run('BEGIN TRANSACTION')
  try {
    const result = await work()
    await engine.run('COMMIT')
    return result
  } catch (error) {
    // A commit that has failed has rolled back by itself.
    await engine.run('ROLLBACK').catch(() => undefined)
    throw error
  }
}
