import type * as Disk from 'node:fs/promises'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { mergeBeside, mergeFixture } from '../merge/testing/merge-faults.ts'
import { planMigration } from '../migration/plan-migration.ts'
import { runMigration } from '../migration/run-migration.ts'
import { rescueArrays } from '../rescue/rescue-arrays.ts'
import { rescueFixture } from '../rescue/testing/rescue-scene.ts'
import { faultFixture, filesOf } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'

/** Bytes that the disk has left: none to speak of, unless a test says otherwise. */
const free = vi.hoisted(() => ({ bytes: 4096 }))
vi.mock('node:fs/promises', async (load) => ({ ...(await load<typeof Disk>()), statfs: async () => ({ bavail: free.bytes, bsize: 1 }) }))

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

test('a migration needs what the arrays take compressed, as its plan says, and not a byte less', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'workspace')
  await mkdir(path)
  // Half a megabyte of which nearly nothing is left.
  const predictions = ['one', 'two', 'three'].map((id) => ({ id, y: Array.from({ length: 10_000 }, () => 1) }))
  await makeStore(join(path, 'store.duckdb'), { release: '0.7.1', predictions })
  const { free_bytes_needed: needed, total_values: values } = await planMigration(path)
  expect(values * 8).toBeGreaterThan(400_000)
  try {
    free.bytes = needed - 1
    await expect(runMigration(path, { jobId: 'tight' })).rejects.toMatchObject({ code: 'no_space' })
    free.bytes = needed
    await expect(runMigration(path, { jobId: 'fits' })).resolves.toMatchObject({ rows_migrated: 3, verification_passed: true })
  } finally {
    free.bytes = 4096
  }
})
