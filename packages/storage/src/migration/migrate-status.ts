import type { MigrateStatus } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'

export const migrateStatus = async (_path: string): Promise<Omit<MigrateStatus, 'running_job_id'>> => {
  throw new StorageError('internal', 'This verb is being built.')
}
