import type { Recovery } from '@nirs-workspace/storage'
import { errorCodes } from '@nirs-workspace/types'
import type { JobOutcome } from './job-messages.ts'

/** What is said of a job whose process died, once recovery has looked at its workspace, unless recovery has finished that very job. */
export const interruptedOutcome = (recovery: Recovery, jobId: string): JobOutcome => ({
  state: 'interrupted',
  report: null,
  error: {
    code: 'interrupted',
    title: errorCodes.interrupted.title,
    detail: `The process that did the work stopped before it had finished. ${whatIsLeft(recovery, jobId)}`,
    hint: recovery.is_busy === true ? 'Wait until the other process has ended, then start it again.' : 'Start it again.',
  },
})

const whatIsLeft = ({ recovered, job_id, is_busy }: Recovery, jobId: string): string => {
  if (is_busy === true)
    return 'Another process is at work on the workspace: whatever this one had begun is finished or undone before the next job.'
  if (recovered && job_id === jobId) return 'What it had begun was undone; the workspace is as it was before.'
  return 'Nothing of it was left half done in the workspace.'
}
