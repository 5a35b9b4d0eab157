import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { replacedArrays } from './replaced-arrays.ts'
import { trashPlaces } from './trash-places.ts'

test('of predictions that are on the list of removed ones nothing has been saved since: the list is read once, and no arrays', async () => {
  await using folder = await temporaryFolder()
  const layout = layoutOf(folder.path)
  const places = trashPlaces(layout, 'operation')
  await mkdir(layout.arrays)
  await mkdir(places.folder, { recursive: true })
  await writeFile(join(layout.arrays, '_tombstones.json'), JSON.stringify({ a: '2026-02-05T10:11:12.131415+00:00' }))
  const looking = vi.spyOn(ArrayStore.prototype, 'listDatasets')
  onTestFinished(() => looking.mockRestore())
  expect(await replacedArrays(layout, places, ['a'])).toEqual([])
  expect(looking).not.toHaveBeenCalled()
  await replacedArrays(layout, places, ['a', 'b'])
  expect(looking).toHaveBeenCalledOnce()
})
