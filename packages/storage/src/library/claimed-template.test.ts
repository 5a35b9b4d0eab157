import { readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { isStorageError, type StorageError } from '../errors.ts'
import { digestOf } from '../files/exclusive-right.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { ownIdentity } from '../files/process-identity.ts'
import { ownMark } from '../files/process-mark.ts'
import { isFileAt } from './library-folder.ts'
import { PipelineLibrary } from './pipeline-library.ts'
import { readAll, withPlayground } from './testing/library-fixture.ts'

const best = { name: 'best', pipeline: ['old'] }

afterEach(() => setFaultHook(undefined))

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

  it.each(['fsync-folder', 'unlink'])(
    'test_emptied: a template whose trash is emptied before its claim is given up is deleted: %s',
    (kind) =>
      withPlayground(async ({ workspace }) => {
        const library = new PipelineLibrary(workspace)
        await library.save(best)
        let emptied = ''
        setFaultHook(async (operation) => {
          const entry = /^.*\.trash\/[^/]+/.exec(operation.path)?.[0] ?? ''
          if (operation.kind !== kind || !(await isFileAt(join(entry, 'template', 'pipeline.json')))) return
          await rm(entry, { recursive: true })
          emptied = entry
        })
        const { trash_id } = await library.delete({ name: 'best' })
        setFaultHook(undefined)
        expect(basename(emptied)).toBe(trash_id)
        expect([(await library.list()).rows, await library.trash()]).toEqual([[], []])
      }),
  )

  it.each([
    ['delete', 'write', /\.trash/],
    ['delete', 'rename', /template$/],
    ['overwrite', 'write', /\.trash/],
    ['overwrite', 'link', /pipeline\.json$/],
    ['overwrite', 'write', /general.*\.tmp$/],
    ['overwrite', 'rename', /pipeline\.json$/],
    ['describe', 'write', /general.*\.tmp$/],
    ['describe', 'rename', /README\.md$/],
    ['restore', 'write', /\.trash/],
    ['restore', 'rename', /\.next-template$/],
  ] as const)('test_failed: the disk refuses a %s before it has begun, and no claim stays: %s of %s', (change, kind, place) =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      await library.save(best)
      const { trash_id } = await library.delete({ name: 'best' })
      const { template } = await library.save(best)
      const folder = join(workspace, 'library', template.id)
      const before = await readAll(folder)
      let failed = false
      setFaultHook((operation) => {
        if (failed || operation.kind !== kind || !place.test(operation.path)) return
        failed = true
        throw Object.assign(new Error('ENOSPC: refused'), { code: 'ENOSPC', syscall: 'write' })
      })
      const changes = {
        delete: () => library.delete({ name: 'best' }),
        overwrite: () => library.save({ ...best, pipeline: ['new'], overwrite: true }),
        describe: () => library.save({ ...best, description: 'other words', overwrite: true }),
        restore: () => library.restore(trash_id, { overwrite: true }),
      }
      expect((await refusal(changes[change]()))?.code).toBe('no_space')
      setFaultHook(undefined)
      expect(await readAll(folder)).toEqual(before)
      expect((await library.trash()).map((entry) => entry.trash_id)).toEqual([trash_id])
    }),
  )

  it('test_restored: a template comes back once who deletes it has given up the claim, or has ended', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(best)
      const { trash_id } = await library.delete({ name: 'best' })
      const pending = join(workspace, 'library', '.trash', trash_id, 'template', '.next-metadata.json')
      await writeFile(pending, JSON.stringify({ writer: process.ppid, name: 'best' }))
      const refused = await refusal(library.restore(trash_id))
      expect(refused).toMatchObject({ code: 'workspace_busy', fields: { path: expect.stringContaining('.next-metadata.json') } })
      expect(await isFileAt(pending)).toBe(true)
      await writeFile(pending, JSON.stringify({ writer: 2 ** 22 + 1, name: 'best' }))
      await library.restore(trash_id)
      expect([...(await readAll(join(workspace, 'library', template.id))).keys()].toSorted()).toEqual([
        'README.md',
        'metadata.json',
        'pipeline.json',
      ])
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
