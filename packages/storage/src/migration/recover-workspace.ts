import { StorageError } from '../errors.ts'
import type { Recovery } from './job-options.ts'

export const recoverWorkspace = async (_path: string): Promise<Recovery> => {
  throw new StorageError('internal', 'This verb is being built.')
}
