import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { isStorageError } from '../errors.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { PipelineLibrary } from './pipeline-library.ts'
import { killedAt } from './testing/killed-at.ts'
import { readAll, withPlayground } from './testing/library-fixture.ts'

afterEach(() => setFaultHook(undefined))

/** A template with notes beside it in the trash, and one of its name, with other notes, in the library. */
const prepare = async (workspace: string, pipeline: readonly string[]) => {
  const library = new PipelineLibrary(workspace)
  const { template } = await library.save({ name: 'best', description: 'old words', pipeline: ['old'] })
  const folder = join(workspace, 'library', template.id)
  await writeFile(join(folder, 'README.md'), 'edited by hand')
  await writeFile(join(folder, 'notes.md'), 'six months of notes')
  await mkdir(join(folder, 'spectra'))
  await writeFile(join(folder, 'spectra', 'one.csv'), '1;2')
  const old = await readAll(folder)
  const { trash_id } = await library.delete({ name: 'best' })
  await library.save({ name: 'best', description: 'new words', pipeline: [...pipeline] })
  await writeFile(join(folder, 'notes.md'), 'other notes')
  await writeFile(join(folder, sep === '/' ? 'my\\own.md' : 'mine.md'), 'mine')
  await symlink('nowhere', join(folder, 'spectra'))
  return { library, folder, id: template.id, trash_id, old, replaced: await readAll(folder) }
}

const kept = async (library: PipelineLibrary) => {
  const [entry] = (await library.trash()).filter(({ reason }) => reason === 'replaced')
  return entry === undefined ? null : readAll(join(library.workspace, 'library', '.trash', entry.trash_id, 'template'))
}

describe('test_restore_over: a template that comes back where another one is', () => {
  it.each([['another pipeline', ['new']] as const, ['the same pipeline', ['old']] as const])(
    'test_whole: everything of its folder comes back byte for byte, and everything of the other one goes to the trash: %s',
    (_name, pipeline) =>
      withPlayground(async ({ workspace }) => {
        const { library, folder, id, trash_id, old, replaced } = await prepare(workspace, pipeline)
        await expectFlushed(workspace, 'a restore', async () => {
          expect(await library.restore(trash_id, { overwrite: true })).toMatchObject({ id, description: 'old words' })
        })
        expect(await readAll(folder)).toEqual(old)
        expect(await kept(library)).toEqual(replaced)
        await library.save({ name: 'later', pipeline: ['later'] })
        expect(await kept(library)).toEqual(replaced)
        expect((await library.trash()).map(({ reason }) => reason)).toEqual(['replaced'])
      }),
  )

  it('test_killed: before any operation on the disk, the next change finishes it or undoes it, and nothing is lost', async () => {
    const states = new Set<string>()
    let killed = true
    for (let point = 0; killed; point++) {
      await withPlayground(async ({ workspace }) => {
        const { library, folder, trash_id, old, replaced } = await prepare(workspace, ['new'])
        killed = await killedAt(point, () => library.restore(trash_id, { overwrite: true }))
        const { description, pipeline } = await library.load({ name: 'best' })
        expect(pipeline).toEqual({ pipeline: [description === 'old words' ? 'old' : 'new'] })
        states.add(description)
        await library.save({ name: 'later', pipeline: ['later'] })
        expect((await library.load({ name: 'best' })).description).toBe(description)
        expect(await readAll(folder)).toEqual(description === 'old words' ? old : replaced)
        expect(await kept(library)).toEqual(description === 'old words' ? replaced : null)
        expect(await library.trash()).toHaveLength(1)
        expect(await readdir(join(workspace, 'library', '.trash'))).toHaveLength(1)
      })
    }
    expect([...states]).toEqual(['new words', 'old words'])
  })

  it('test_newcomer: what another program puts into the folder meanwhile is kept', () =>
    withPlayground(async ({ workspace }) => {
      const { library, folder, trash_id, old, replaced } = await prepare(workspace, ['new'])
      setFaultHook(async ({ kind, path }) => {
        if (kind !== 'rename' || !path.endsWith('/.next-template')) return
        await writeFile(join(folder, 'README.md'), 'edited meanwhile')
        await writeFile(join(folder, 'fresh.md'), 'meanwhile')
      })
      await library.restore(trash_id, { overwrite: true })
      setFaultHook(undefined)
      const [left, trashed] = [await readAll(folder), await kept(library)]
      expect(left).toEqual(new Map([...old, ['fresh.md', 'meanwhile'] as const]))
      expect(trashed?.get('notes.md')).toBe(replaced.get('notes.md'))
    }))

  it('test_hostile_restore: names in a pending file that lead out of the template count for nothing', () =>
    withPlayground(async ({ folder: outside, workspace }) => {
      const { library, folder } = await prepare(workspace, ['new'])
      await mkdir(join(folder, '.next-template'))
      const restoring = { kept_in: '../../..', others: ['../../../beside.txt'] }
      await writeFile(join(folder, '.next-metadata.json'), JSON.stringify({ name: 'best', writer: 2 ** 22 + 1, restoring }))
      await library.save({ name: 'later', pipeline: ['later'] })
      expect((await readAll(outside)).get('beside.txt')).toBe('untouched')
      expect((await library.load({ name: 'best' })).description).toBe('new words')
      expect(isStorageError(await library.restore('..', { overwrite: true }).catch((error: unknown) => error), 'trash_not_found')).toBe(
        true,
      )
    }))

  it.each(['.trash', '.trash/x', '.trash/x/template'])(
    'test_linked_trash: a link in place of %s moves nothing out of the library of a foreign workspace',
    (place) =>
      withPlayground(async ({ folder: outside, workspace }) => {
        const library = new PipelineLibrary(workspace)
        const { template } = await library.save({ name: 'best', pipeline: ['old'] })
        const folder = join(workspace, 'library', template.id)
        await mkdir(join(folder, '.next-template'))
        await writeFile(join(folder, 'evil.desktop'), 'evil')
        const link = join(workspace, 'library', place)
        await mkdir(dirname(link), { recursive: true })
        await mkdir(join(outside, 'elsewhere'))
        await symlink(join(outside, 'elsewhere'), link)
        const restoring = { kept_in: 'x', others: ['evil.desktop'] }
        await writeFile(join(folder, '.next-metadata.json'), JSON.stringify({ name: 'best', writer: 2 ** 22 + 1, restoring }))
        const refused: unknown = await library.save({ name: 'later', pipeline: ['later'] }).catch((error: unknown) => error)
        expect(await readdir(join(outside, 'elsewhere'))).toEqual([])
        expect((await readdir(folder)).includes('evil.desktop')).toBe(true)
        expect(refused).toMatchObject({ code: 'path_not_allowed', fields: { path: link } })
      }),
  )
})
