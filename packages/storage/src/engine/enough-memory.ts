import { totalmem } from 'node:os'
import { isStorageError } from '../errors.ts'
import type { Engine } from './open-engine.ts'

/** What the engine may take at most, in bytes: the rest of the machine stays usable. */
export const mostMemory = (): number => Math.floor(0.6 * totalmem())

export const limitMemory = (engine: Engine, bytes: number): Promise<void> =>
  engine.run(`SET memory_limit = '${Math.floor(Math.min(mostMemory(), bytes))}B'`)

/**
 * Does the work, and once more with all the memory that the engine may have when it was too little: DuckDB reads 2 048 rows of a list at a
 * time, which are gigabytes where a row holds a hundred thousand values. The work must be repeatable.
 */
export const withEnoughMemory = async <T>(engine: Engine, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!isStorageError(error, 'out_of_memory')) throw error
    await limitMemory(engine, mostMemory())
    return work()
  }
}
