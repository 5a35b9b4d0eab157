import type { VerifyReport } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import type { VerifyOptions } from '../migration/job-options.ts'

export const verifyWorkspace = async (_path: string, _options: VerifyOptions): Promise<VerifyReport> => {
  throw new StorageError('internal', 'This verb is being built.')
}
