import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isStorageError, type StorageError } from '../errors.ts'
import { digestOf } from '../files/exclusive-right.ts'
import { ownIdentity } from '../files/process-identity.ts'
import { ownMark } from '../files/process-mark.ts'
import { PipelineLibrary } from './pipeline-library.ts'
import { withPlayground } from './testing/library-fixture.ts'

const best = { name: 'best', pipeline: ['old'] }

describe('test_claimed_template: what another program has begun to change', () => {
  it('test_lapse: a claim of another machine is respected for an hour, with the file named that holds it; so is the right to settle it', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(best)
      const folder = join(workspace, 'library', template.id)
      const pending = join(folder, '.next-metadata.json')
      await writeFile(pending, JSON.stringify({ writer: (await ownMark()).replace(/\.[^.]+/, '.00000000'), name: 'best' }))
      const right = join(folder, `.settle-${digestOf(digestOf(await readFile(pending)))}-0`)
      await writeFile(right, JSON.stringify({ ...(await ownIdentity()), host: 'gone' }))
      const refused = await refusal(library.delete({ name: 'best' }))
      expect(refused?.code).toBe('workspace_busy')
      await age(pending, 59)
      await age(right, 59)
      expect((await refusal(library.delete({ name: 'best' })))?.code).toBe('workspace_busy')
      await age(pending, 61)
      expect((await refusal(library.save({ ...best, pipeline: ['new'], overwrite: true })))?.code).toBe('workspace_busy')
      await age(right, 61)
      expect((await library.save({ ...best, pipeline: ['new'], overwrite: true })).status).toBe('replaced')
      await library.delete({ name: 'best' })
      expect((await library.list()).rows).toEqual([])
      expect(refused?.fields.hint).toContain(`library/${template.id}/.next-metadata.json`)
    }))

  it('test_running: a claim of a process that runs here does not lapse', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(best)
      const pending = join(workspace, 'library', template.id, '.next-metadata.json')
      await writeFile(pending, JSON.stringify({ writer: process.ppid, name: 'best' }))
      await age(pending, 61)
      expect((await refusal(library.delete({ name: 'best' })))?.code).toBe('workspace_busy')
    }))
})

const refusal = async (change: Promise<unknown>): Promise<StorageError | undefined> => {
  const error: unknown = await change.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return isStorageError(error) ? error : undefined
}

const age = async (path: string, minutes: number): Promise<void> => {
  const then = Date.now() / 1000 - minutes * 60
  await utimes(path, then, then)
}
