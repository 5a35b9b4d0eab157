import type { JobProgress } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import { faultFixture } from '../testing/fault-oracle.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

test('jobs never go back, and are at 90 % of a check only when as much of it is done', async () => {
  await using scratch = await faultFixture()
  const path = await scratch.copy('progress')
  let seen: JobProgress[] = []
  const onProgress = (progress: JobProgress) => void seen.push(progress)
  const jobs = [
    () => runMigration(path, { jobId: 'one', onProgress }),
    () => verifyWorkspace(path, { depth: 'deep', onProgress }),
    () => verifyWorkspace(path, { depth: 'quick', onProgress }),
    () => rollbackMigration(path, { jobId: 'two', onProgress }),
  ]
  for (const job of jobs) {
    seen = []
    await job()
    const fractions = seen.map(({ fraction }) => fraction)
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(fractions.at(-1)).toBe(1)
    for (const { phase, fraction, done_bytes, total_bytes } of seen) {
      if (phase === 'verify') expect((fraction - 0.05) / 0.85).toBeCloseTo(done_bytes / total_bytes)
    }
    const { done_bytes, total_bytes } = seen.at(-1) ?? { done_bytes: 0, total_bytes: 0 }
    expect(total_bytes).toBeGreaterThan(0)
    expect(done_bytes).toBe(total_bytes)
  }
})
