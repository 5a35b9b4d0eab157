import type { Job } from '@nirs-workspace/types'

/** What the last job has changed is not in the status yet: a page would show the state before. */
export const isBehind = ({ migration_needed }: { readonly migration_needed: boolean }, jobs: readonly Job[]): boolean => {
  const last = jobs.find((job) => job.kind === 'migrate' || job.kind === 'rollback')
  return last?.state === 'completed' && migration_needed === (last.kind === 'migrate')
}
