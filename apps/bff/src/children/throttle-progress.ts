import type { JobProgress } from '@nirs-workspace/types'

/**
 * Passes on at most one report per `intervalMs`, besides every change of phase; the latest one is never lost: `flush` sends what is
 * still held back.
 */
export const throttleProgress = (send: (progress: JobProgress) => void, intervalMs: number) => {
  let last = { phase: '', time: Number.NEGATIVE_INFINITY }
  let held: JobProgress | undefined
  const pass = (progress: JobProgress) => {
    held = undefined
    last = { phase: progress.phase, time: performance.now() }
    send(progress)
  }
  const report = (progress: JobProgress): void => {
    if (progress.phase !== last.phase || performance.now() - last.time >= intervalMs) pass(progress)
    else held = progress
  }
  return Object.assign(report, {
    flush: () => {
      if (held !== undefined) pass(held)
    },
  })
}
