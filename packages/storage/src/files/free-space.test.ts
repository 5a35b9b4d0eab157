import type * as Disk from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { mergeBeside, mergeFixture } from '../merge/testing/merge-faults.ts'
import { runMigration } from '../migration/run-migration.ts'
import { rescueArrays } from '../rescue/rescue-arrays.ts'
import { rescueFixture } from '../rescue/testing/rescue-scene.ts'
import { faultFixture, filesOf } from '../testing/fault-oracle.ts'

// A disk that is full.
vi.mock('node:fs/promises', async (load) => ({ ...(await load<typeof Disk>()), statfs: async () => ({ bavail: 1, bsize: 4096 }) }))

test.each([
  ['a migration', faultFixture, (path: string) => runMigration(path, { jobId: 'full' })],
  ['a rescue', rescueFixture, (path: string) => rescueArrays(path, { jobId: 'full' })],
  ['a merge', mergeFixture, (path: string) => mergeBeside(path)],
] as const)('%s that the disk cannot hold is refused before anything is written', async (_, make, run) => {
  await using scratch = await make()
  const path = await scratch.copy('workspace')
  const before = await filesOf(path)
  await expect(run(path)).rejects.toMatchObject({ code: 'no_space' })
  expect(await filesOf(path)).toEqual(before)
})
