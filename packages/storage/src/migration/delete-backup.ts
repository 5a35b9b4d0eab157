import { StorageError } from '../errors.ts'

export const deleteBackup = async (_path: string): Promise<{ deleted: string[]; bytes: number }> => {
  throw new StorageError('internal', 'This verb is being built.')
}
