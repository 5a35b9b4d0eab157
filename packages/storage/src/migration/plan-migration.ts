import type { MigrationPlan } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'

export const planMigration = async (_path: string, _options: { signal?: AbortSignal | undefined } = {}): Promise<MigrationPlan> => {
  throw new StorageError('internal', 'This verb is being built.')
}
