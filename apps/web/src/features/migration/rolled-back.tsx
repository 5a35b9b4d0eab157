import type { Job } from '@nirs-workspace/types'
import { useEffect, useState } from 'react'
import { rollbackReport } from '../../api/reports.ts'
import { useNow } from '../../stores/clock.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'

/** Milliseconds after which a roll back is no news to a page that is opened; much may have happened to the store since. */
const newsFor = 3_600_000

/** Roll backs that the reader was told of on a page left since. */
const told = new Set<string>()

/** The roll back that the page should tell of: the last job there was, until another starts or the page is left. */
export const useFreshRollback = ([last]: readonly Job[]): Job | undefined => {
  const [before] = useState(() => ({ told: new Set(told), openedAt: Date.now() }))
  const job = last !== undefined && rollbackReport(last) !== undefined ? last : undefined
  const id = job?.job_id
  useEffect(() => {
    if (id === undefined) return
    return () => void told.add(id)
  }, [id])
  if (job?.ended_at == null || before.told.has(job.job_id)) return undefined
  return before.openedAt - Date.parse(job.ended_at) < newsFor ? job : undefined
}

export const RolledBack = ({ job }: { job: Job }) => {
  const { migration } = useText()
  const format = useFormat()
  const now = useNow()
  const kept = rollbackReport(job)?.kept_newer_state_at ?? null
  return (
    <div role="status">
      <Notice tone="success">
        <strong className="font-semibold">{migration.rolledBackTitle}</strong>{' '}
        {migration.rolledBack(format.ago(job.ended_at ?? job.created_at, now))}{' '}
        {kept === null ? migration.rolledBackFiles : migration.rolledBackKept(kept)}
      </Notice>
    </div>
  )
}
