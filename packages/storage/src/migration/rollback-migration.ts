import type { RollbackReport } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import type { RollbackOptions } from './job-options.ts'

export const rollbackMigration = async (_path: string, _options: RollbackOptions): Promise<RollbackReport> => {
  throw new StorageError('internal', 'This verb is being built.')
}
