import { execFile } from 'node:child_process'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { isStorageError } from '../errors.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { ownMark } from '../files/process-mark.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { PipelineLibrary } from './pipeline-library.ts'
import { failAt, Killed, killedAt } from './testing/killed-at.ts'
import { readAll, withPlayground } from './testing/library-fixture.ts'

const old = { name: 'best', description: 'old words', metrics: { rmse: 1 }, pipeline: ['old'] }
const fresh = { name: 'best', description: 'new words', metrics: { rmse: 2 }, pipeline: ['new'], overwrite: true }
const minutes = 120_000

interface Change {
  prepare(library: PipelineLibrary): Promise<unknown>
  run(library: PipelineLibrary): Promise<unknown>
}

/** Every change of the library; `run` is also what a person does again after the interruption. */
const changes: Record<string, Change> = {
  save: {
    prepare: (library) => library.save({ name: 'other', pipeline: ['other'] }),
    run: (library) => library.save({ ...fresh, overwrite: false }),
  },
  'first save': { prepare: async () => undefined, run: (library) => library.save(fresh) },
  overwrite: { prepare: (library) => library.save(old), run: (library) => library.save(fresh) },
  'new words': { prepare: (library) => library.save({ ...old, pipeline: ['new'] }), run: (library) => library.save(fresh) },
  delete: { prepare: (library) => library.save(old), run: (library) => library.delete({ name: 'best' }).catch(ignoreAbsence) },
  restore: { prepare: async (library) => [await library.save(old), await library.delete({ name: 'best' })], run: restoreAll },
  'restore over': { prepare: async (library) => [await library.save(old), await library.save(fresh)], run: restoreAll },
  'empty trash': {
    prepare: async (library) => [await library.save(old), await library.delete({ name: 'best' })],
    run: (library) => library.emptyTrash(),
  },
}

afterEach(() => setFaultHook(undefined))

describe('test_library_faults: a kill before any operation on the disk', () => {
  it.each(Object.entries(changes))(
    'test_kill_half_way: %s leaves the old library or the new one, and running it again converges',
    async (_name, change) => {
      const { before, after } = await statesAround(change)
      let points = 0
      for (let ended = false; !ended; points++) {
        await withPlayground(async ({ workspace }) => {
          const library = new PipelineLibrary(workspace)
          await change.prepare(library)
          ended = !(await killedAt(points, () => change.run(library)))
          const left = await visible(library)
          expect([before, after]).toContainEqual(left)
          // Any later change finishes or undoes what was left, and shows the same library again.
          await library.save({ name: 'later', pipeline: ['later'] })
          expect((await visible(library)).filter(({ name }) => name !== 'later')).toEqual(left)
          await expectNothingHalfDone(workspace)
          await change.run(library)
          expect((await visible(library)).filter(({ name }) => name !== 'later')).toEqual(after)
        })
      }
      expect(points).toBeGreaterThan(4)
    },
    minutes,
  )

  it.each(['ENOSPC', 'EIO'])(
    'test_disk_refuses: %s at any operation of an overwrite is a coded error, and the old template or the new one is there',
    async (code) => {
      const { before, after } = await statesAround(changes.overwrite)
      let refused = true
      for (let point = 0; refused; point++) {
        await withPlayground(async ({ workspace }) => {
          const library = new PipelineLibrary(workspace)
          await library.save(old)
          refused = false
          const failure = Object.assign(new Error(`${code}: refused`), { code, syscall: 'write' })
          failAt(point, failure, () => {
            refused = true
          })
          const outcome = await library.save(fresh).then(
            () => 'done',
            (error: unknown) => (isStorageError(error) ? error.code : 'not coded'),
          )
          setFaultHook(undefined)
          expect(outcome).toBe(refused ? { ENOSPC: 'no_space', EIO: 'write_failed' }[code] : 'done')
          expect([before, after]).toContainEqual(await visible(library))
        })
      }
    },
    minutes,
  )

  it('test_other_process: a replacement that a living process has under way is left alone, and a second one is turned away', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(old)
      const pending = join(workspace, 'library', template.id, '.next-metadata.json')
      await writeFile(pending, JSON.stringify({ writer: process.ppid, name: 'best' }))
      await library.save({ name: 'later', pipeline: ['later'] })
      const refused = await library.save(fresh).catch((error: unknown) => error)
      expect(isStorageError(refused, 'workspace_busy')).toBe(true)
      expect(await library.load({ name: 'best' })).toMatchObject({ description: 'old words', pipeline: { pipeline: ['old'] } })
      await writeFile(pending, JSON.stringify({ writer: 2 ** 22 + 1, name: 'best' }))
      expect((await library.save(fresh)).status).toBe('replaced')
    }))

  it('test_whose_leftovers: those of another machine are left alone, those of a process whose id now belongs to another are swept', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const root = join(workspace, 'library')
      await library.save(old)
      const own = await ownMark()
      const [pid, machine, start] = own.split('.')
      const elsewhere = `${pid}.00000000.${start}`
      await stopAt('/pipeline.json', () => library.save(fresh))
      await giveTo(root, own, elsewhere)
      await stopAt('/general/other', () => library.save({ name: 'other', pipeline: ['other'] }))
      await giveTo(root, own, elsewhere)
      const marked = async (mark: string) => (await readAll(root)).entries().filter((entry) => entry.join().includes(mark))
      const before = [...(await marked(elsewhere))]
      for (const kind of [/^\.staging\//, /^\.trash\//, /^general.*\.tmp$/, /\.next-metadata\.json$/]) {
        expect(before.some(([path]) => kind.test(path))).toBe(true)
      }
      await library.save({ name: 'later', pipeline: ['later'] })
      expect([...(await marked(elsewhere))]).toEqual(before)
      expect(isStorageError(await library.save(fresh).catch((error: unknown) => error), 'workspace_busy')).toBe(true)
      const [boot, space] = own.split('.').slice(3)
      const container = own.replace(`.${boot}.${space}`, `.${boot}.00000000`).replace(/^\d+/, `${2 ** 22 + 1}`)
      await giveTo(root, elsewhere, container)
      expect(isStorageError(await library.save(fresh).catch((error: unknown) => error), 'workspace_busy')).toBe(true)
      await giveTo(root, container, `${pid}.${machine}.00000000`)
      expect((await library.save(fresh)).status).toBe('replaced')
      expect([...(await marked('.00000000'))]).toEqual([])
      await expectNothingHalfDone(workspace)
    }))

  it(
    'test_settled_once: what a dead process left is settled by one alone; a newer version that another process saves meanwhile stays whole',
    async () => {
      const outcomes = new Set<string>()
      let met = true
      for (let point = 0; met; point++) {
        await withPlayground(async ({ workspace }) => {
          const library = new PipelineLibrary(workspace)
          const { template } = await library.save(old)
          await leaveInEffect(workspace, template.id)
          met = false
          let count = 0
          setFaultHook(async ({ path }) => {
            if (!path.startsWith(join(workspace, 'library', template.id)) || count++ !== point) return
            met = true
            outcomes.add(await saveElsewhere(workspace, newer))
          })
          await library.save({ name: 'later', pipeline: ['later'] })
          setFaultHook(undefined)
          const [left] = (await visible(library)).filter(({ name }) => name === 'best')
          expect([fresh, newer].map(shown)).toContainEqual(left)
          expect(await saveElsewhere(workspace, newer)).toMatch(/replaced|unchanged/)
          expect((await visible(library)).filter(({ name }) => name === 'best')).toEqual([shown(newer)])
          await expectNothingHalfDone(workspace)
        })
      }
      expect([...outcomes].toSorted()).toEqual(['replaced', 'workspace_busy'])
    },
    minutes,
  )

  it('test_settler_dies: a kill before any operation of settling leaves the version that is in effect, and the next change settles it', async () => {
    let killed = true
    for (let point = 0; killed; point++) {
      await withPlayground(async ({ workspace }) => {
        const library = new PipelineLibrary(workspace)
        const { template } = await library.save(old)
        await leaveInEffect(workspace, template.id)
        killed = await killedAt(point, () => library.save({ ...fresh, overwrite: false }))
        expect(await visible(library)).toEqual([shown(fresh)])
        await library.save({ name: 'later', pipeline: ['later'] })
        expect((await visible(library)).filter(({ name }) => name === 'best')).toEqual([shown(fresh)])
        await expectNothingHalfDone(workspace)
      })
    }
  })

  it('test_changed_underneath: a version that another process wrote since it was read is not replaced', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(old)
      const folder = join(workspace, 'library', template.id)
      setFaultHook(async ({ path }) => {
        if (path.endsWith('.next-metadata.json')) await writeFile(join(folder, 'pipeline.json'), '{"pipeline": ["theirs"]}')
      })
      const refused = await library.save(fresh).catch((error: unknown) => error)
      setFaultHook(undefined)
      expect(isStorageError(refused, 'workspace_busy')).toBe(true)
      expect(await library.load({ name: 'best' })).toMatchObject({ pipeline: { pipeline: ['theirs'] }, changed_since_saved: true })
      expect(await library.trash()).toEqual([])
    }))

  it('test_changed_meanwhile: what another program writes while its template is replaced is refused or in the trash', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(old)
      const path = join(workspace, 'library', template.id, 'pipeline.json')
      const theirs = '{"pipeline": ["theirs"]}'
      const beside = join(workspace, 'theirs.json')
      let copies = 0
      setFaultHook(async ({ path: written }) => {
        if (!written.includes('/.trash/') || !written.endsWith('/template') || copies++ > 0) return
        await writeFile(beside, theirs)
        await rename(beside, path)
      })
      const refused = await library.save(fresh).catch((error: unknown) => error)
      setFaultHook(undefined)
      expect(isStorageError(refused, 'workspace_busy')).toBe(true)
      expect(await readFile(path, 'utf8')).toBe(theirs)
      await expectNothingHalfDone(workspace)
      expect(await library.trash()).toEqual([])
      const late = '{"pipeline": ["written late"]}'
      setFaultHook(async ({ kind, path: written }) => {
        if (kind === 'rename' && written === path) await writeFile(path, late)
      })
      const { trash_id } = await library.save(fresh)
      setFaultHook(undefined)
      expect(await library.load({ name: 'best' })).toMatchObject({ description: 'new words', pipeline: { pipeline: ['new'] } })
      expect(await readFile(join(workspace, 'library', '.trash', trash_id ?? '', 'template', 'pipeline.json'), 'utf8')).toBe(late)
    }))

  it('test_written_in_place: new words leave the pipeline in the trash what it is, whatever is written into the living one', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(old)
      const living = join(workspace, 'library', template.id)
      const before = await readAll(living)
      const { status, trash_id } = await library.save({ ...fresh, pipeline: ['old'] })
      for (const name of before.keys()) await writeFile(join(living, name), 'theirs')
      expect(status).toBe('updated')
      expect(await readAll(join(workspace, 'library', '.trash', trash_id ?? '', 'template'))).toEqual(before)
    }))

  it('test_delete_at_once: what another process replaces is not deleted meanwhile, and of two that delete the second is told', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      const { template } = await library.save(old)
      const folder = join(workspace, 'library', template.id)
      const before = await readAll(folder)
      const pending = join(folder, '.next-metadata.json')
      await writeFile(pending, JSON.stringify({ writer: process.ppid, name: 'best' }))
      expect(isStorageError(await library.delete({ name: 'best' }).catch((error: unknown) => error), 'workspace_busy')).toBe(true)
      expect((await library.list()).rows).toHaveLength(1)
      await rm(pending)
      setFaultHook(async ({ kind, path }) => {
        if (kind === 'rename' && path.endsWith('/template')) await rename(folder, join(workspace, 'taken'))
      })
      const late = await library.delete({ name: 'best' }).catch((error: unknown) => error)
      setFaultHook(undefined)
      expect(isStorageError(late, 'template_not_found')).toBe(true)
      await rm(join(workspace, 'taken', '.next-metadata.json'))
      await rename(join(workspace, 'taken'), folder)
      const { trash_id } = await library.delete({ name: 'best' })
      expect(await readAll(join(workspace, 'library', '.trash', trash_id, 'template'))).toEqual(before)
      await library.restore(trash_id)
      await stopAt('/template', () => library.delete({ name: 'best' }))
      await library.save({ name: 'later', pipeline: ['later'] })
      expect(await readAll(folder)).toEqual(before)
    }))

  it('test_discard: an entry leaves the trash by one rename that is on the disk before anything of it goes', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      await library.save(old)
      await library.delete({ name: 'best' })
      const kinds: string[] = []
      setFaultHook(async ({ kind, path }) => {
        if (path.includes('/.trash/')) kinds.push(kind)
        if (kind !== 'remove-tree') return
        await rm(join(path, 'pipeline.json'))
        throw new Killed()
      })
      await expect(library.emptyTrash()).rejects.toThrow(Killed)
      setFaultHook(undefined)
      expect(kinds).toEqual(['rename', 'fsync-folder', 'remove-tree'])
      expect(await library.trash()).toEqual([])
      await library.save({ name: 'later', pipeline: ['later'] })
      await expectNothingHalfDone(workspace)
    }))

  it('test_commit_point: between pipeline and metadata a reader sees the new pipeline with its own metrics', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      await library.save(old)
      let renames = 0
      setFaultHook(({ kind, path }) => {
        if (kind === 'rename' && path.endsWith('/metadata.json')) throw new Killed()
        if (kind === 'rename' && path.endsWith('/pipeline.json')) renames += 1
      })
      await expect(library.save(fresh)).rejects.toThrow(Killed)
      setFaultHook(undefined)
      expect(renames).toBe(1)
      const before = await readAll(workspace)
      expect(await library.load({ name: 'best' })).toMatchObject({
        description: 'new words',
        metrics: { rmse: 2 },
        pipeline: { pipeline: ['new'] },
      })
      expect(await readAll(workspace)).toEqual(before)
    }))
})

const newer = { name: 'best', description: 'newer words', metrics: { rmse: 3 }, pipeline: ['newer'], overwrite: true }

const shown = ({ name, description, metrics, pipeline }: typeof fresh) => ({
  name,
  description,
  metrics,
  changed_since_saved: false,
  pipeline: { pipeline },
})

/** A replacement by `fresh` whose process died when its pipeline had got its name. */
const leaveInEffect = async (workspace: string, id: string) => {
  setFaultHook(({ kind, path }) => {
    if (kind === 'rename' && path.endsWith('/metadata.json')) throw new Killed()
  })
  await expect(new PipelineLibrary(workspace).save(fresh)).rejects.toThrow(Killed)
  setFaultHook(undefined)
  const pending = join(workspace, 'library', id, '.next-metadata.json')
  await writeFile(pending, (await readFile(pending, 'utf8')).replace(/"writer": "[^"]*"/, `"writer": ${2 ** 22 + 1}`))
}

/** A process that dies before something gets a name that ends so. */
const stopAt = (end: string, run: () => Promise<unknown>) => stopFrom(({ kind, path }) => kind === 'rename' && path.endsWith(end), 0, run)

/** Makes what one process has left that of another one. */
const giveTo = async (root: string, from: string, to: string) => {
  for (const [path, text] of [...(await readAll(root))].toReversed()) {
    if (text.includes(from)) await writeFile(join(root, path), text.replaceAll(from, to))
    const name = basename(path)
    if (name.includes(from)) await rename(join(root, path), join(root, dirname(path), name.replaceAll(from, to)))
  }
}

const saveElsewhere = async (workspace: string, template: typeof fresh): Promise<string> => {
  const program = join(import.meta.dirname, 'testing', 'save-template-process.ts')
  return (await promisify(execFile)(process.execPath, [program, workspace, JSON.stringify(template)])).stdout
}

async function restoreAll(library: PipelineLibrary): Promise<void> {
  const entry = (await library.trash()).find(({ name }) => name === 'best')
  const current = (await library.list()).rows.find(({ name }) => name === 'best')
  if (entry !== undefined && current?.description !== 'old words') await library.restore(entry.trash_id, { overwrite: true })
}

const ignoreAbsence = (error: unknown) => {
  if (!isStorageError(error, 'template_not_found', 'trash_not_found')) throw error
}

/** What a person sees, without times and trash. */
const visible = async (library: PipelineLibrary) => {
  const { rows, unreadable } = await library.list()
  expect(unreadable).toEqual([])
  return Promise.all(
    rows.map(async ({ id, name, description, metrics, changed_since_saved }) => {
      const { pipeline } = await library.load({ id })
      return { name, description, metrics, changed_since_saved, pipeline }
    }),
  )
}

const statesAround = (change: Change | undefined) =>
  withPlayground(async ({ workspace }) => {
    if (change === undefined) throw new Error('no such change')
    const library = new PipelineLibrary(workspace)
    await change.prepare(library)
    const before = await visible(library)
    await expectFlushed(workspace, 'a change', () => change.run(library))
    return { before, after: await visible(library) }
  })

const expectNothingHalfDone = async (workspace: string) => {
  const paths = [...(await readAll(join(workspace, 'library'))).keys()]
  expect(paths.filter((path) => /\.tmp$|\.partial|\.next-metadata|\.settle-|\.staging\/./.test(path))).toEqual([])
  const entries = paths.filter((path) => /^\.trash\/[^/]+\/$/.test(path))
  for (const entry of entries) expect(paths).toContain(`${entry}template/pipeline.json`)
}
