import { StorageError } from '../errors.ts'
import type { Interruption } from './job-options.ts'

export const readInterruption = async (_root: string): Promise<Interruption | null> => {
  throw new StorageError('internal', 'This verb is being built.')
}
