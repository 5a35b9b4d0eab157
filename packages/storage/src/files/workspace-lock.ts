import { StorageError } from '../errors.ts'

export interface WorkspaceLock {
  release(): Promise<void>
}

export const acquireWorkspaceLock = async (_root: string, _owner: { jobId: string; kind: string }): Promise<WorkspaceLock> => {
  throw new StorageError('internal', 'This verb is being built.')
}
