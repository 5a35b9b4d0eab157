import type { Job } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { migrateStatusQuery, storageStatusQuery } from './queries.ts'

/** Milliseconds within which an answer that does not know of a job's end is one from before it; later, another program has been there. */
const settleMs = 10_000
/** Milliseconds after which such an answer is asked for again. */
const againMs = 1000

/** What the last job has changed is not in a status of this time yet: a page would show the state before. */
export const isBehind = (
  { migration_needed }: { readonly migration_needed: boolean },
  jobs: readonly Job[],
  answeredAt: number,
): boolean => {
  const last = jobs.find((job) => job.kind === 'migrate' || job.kind === 'rollback')
  if (last?.state !== 'completed' || migration_needed !== (last.kind === 'migrate')) return false
  return last.ended_at === null || answeredAt - Date.parse(last.ended_at) < settleMs
}

interface Answered<T> {
  readonly data: T | undefined
  readonly dataUpdatedAt: number
}

const isAnswerBehind = ({ data, dataUpdatedAt }: Answered<{ readonly migration_needed: boolean }>, jobs: readonly Job[]): boolean =>
  data !== undefined && isBehind(data, jobs, dataUpdatedAt)

/** Asks again until the answer knows of the last job's end. */
const askAgain = (jobs: readonly Job[]) => ({
  refetchInterval: ({ state }: { state: { data: { readonly migration_needed: boolean } | undefined; dataUpdatedAt: number } }) =>
    state.data !== undefined && isBehind(state.data, jobs, state.dataUpdatedAt) ? againMs : false,
})

/** Where the workspace stands with its migration; `behind` while that is not known of since the last job has ended. */
export const useMigrateStatus = (workspace: string, jobs: readonly Job[]) => {
  const answer = useQuery({ ...migrateStatusQuery(workspace), ...askAgain(jobs) })
  return { ...answer, behind: isAnswerBehind(answer, jobs) }
}

export const useStorageStatus = (workspace: string, jobs: readonly Job[]) => {
  const answer = useQuery({ ...storageStatusQuery(workspace), ...askAgain(jobs) })
  return { ...answer, behind: isAnswerBehind(answer, jobs) }
}
