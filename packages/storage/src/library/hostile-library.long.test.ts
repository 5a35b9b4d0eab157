import { mkdir, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isStorageError } from '../errors.ts'
import { PipelineLibrary } from './pipeline-library.ts'
import { hostileName, hostileNames } from './testing/hostile-names.ts'
import { readAll, withPlayground } from './testing/library-fixture.ts'

const saveAll = async (library: PipelineLibrary, places: readonly { name: string; category: string }[]) => {
  for (const [step, place] of places.entries()) await library.save({ ...place, pipeline: [step], description: place.name })
}

describe('test_hostile_names: names and categories cannot leave the library, and two stay two', () => {
  it('N1-N4: every known troublemaker is stored, listed, loaded, deleted and restored under its exact name', () =>
    withPlayground(async ({ folder, workspace }) => {
      const library = new PipelineLibrary(workspace)
      await saveAll(
        library,
        hostileNames.map((name) => ({ name, category: 'general' })),
      )
      const { rows, unreadable } = await library.list()
      expect(unreadable).toEqual([])
      expect(rows.map(({ name }) => name).toSorted()).toEqual([...hostileNames].toSorted())
      for (const [step, name] of hostileNames.entries()) expect((await library.load({ name })).pipeline).toEqual({ pipeline: [step] })
      const { trash_id } = await library.delete({ name: '..' })
      expect((await library.list()).total).toBe(hostileNames.length - 1)
      expect((await library.restore(trash_id)).name).toBe('..')
      expect((await readdir(folder)).toSorted()).toEqual(['beside.txt', 'workspace'])
      expect(await readdir(workspace)).toEqual(['library'])
    }))

  it('test_linked_library: a link in place of the folder is refused, and nothing is written behind it', () =>
    withPlayground(async ({ folder, workspace }) => {
      await mkdir(join(folder, 'elsewhere'))
      await symlink(join(folder, 'elsewhere'), join(workspace, 'library'))
      const refused = await new PipelineLibrary(workspace).save({ name: 'best', pipeline: [] }).catch((error: unknown) => error)
      expect(isStorageError(refused, 'path_not_allowed')).toBe(true)
      expect(await readdir(join(folder, 'elsewhere'))).toEqual([])
    }))

  it('test_two_stay_two: "T:One" and "tone" are two templates, and one is deleted without the other', () =>
    withPlayground(async ({ workspace }) => {
      const library = new PipelineLibrary(workspace)
      await saveAll(library, [
        { name: 'tone', category: 'general' },
        { name: 'T:One', category: 'general' },
      ])
      await library.delete({ name: 'T:One' })
      expect((await library.load({ name: 'tone' })).pipeline).toEqual({ pipeline: [0] })
      expect((await library.list()).total).toBe(1)
    }))

  it('test_random_libraries: whatever the names and categories, everything saved is found and nothing lands outside', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ name: hostileName, category: fc.oneof(fc.constant('general'), hostileName) }), {
          maxLength: 6,
          selector: ({ name, category }) => JSON.stringify([name, category]),
        }),
        (places) =>
          withPlayground(async ({ folder, workspace }) => {
            const library = new PipelineLibrary(workspace)
            await saveAll(library, places)
            for (const [step, place] of places.entries()) {
              expect(await library.load(place)).toMatchObject({ ...place, description: place.name, pipeline: { pipeline: [step] } })
            }
            expect((await library.list()).total).toBe(places.length)
            const outside = [...(await readAll(folder)).keys()].filter((path) => !path.startsWith(join('workspace', 'library')))
            expect(outside.toSorted()).toEqual(['beside.txt', 'workspace/'])
          }),
      ),
      { numRuns: 60 },
    ))
})
