import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { readInterruption } from './read-interruption.ts'

let justBefore = async (): Promise<unknown> => undefined
vi.mock(import('../files/workspace-lock.ts'), async (load) => {
  const real = await load()
  return {
    ...real,
    readLockHolder: async (root) => {
      await justBefore()
      return real.readLockHolder(root)
    },
  }
})

test('a job that ends while it is looked at was not interrupted; one that has died was', async () => {
  await using folder = await temporaryFolder()
  const control = join(folder.path, '.nirs-workspace')
  await mkdir(control)
  const journal = {
    format: 'nirs-workspace/journal/1',
    kind: 'vacuum',
    job_id: 'v',
    phase: 'prepare',
    started_at: '2026-01-01T00:00:00.000Z',
  }
  await writeFile(join(control, 'journal.json'), JSON.stringify(journal))
  expect(await readInterruption(folder.path)).toEqual({ job_id: 'v', kind: 'vacuum', phase: 'prepare' })
  justBefore = () => rm(control, { recursive: true, force: true })
  expect(await readInterruption(folder.path)).toBeNull()
})
