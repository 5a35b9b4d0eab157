import type { MigrationReport } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import type { MigrationOptions } from './job-options.ts'

export const runMigration = async (_path: string, _options: MigrationOptions): Promise<MigrationReport> => {
  throw new StorageError('internal', 'This verb is being built.')
}
