import { isDeepStrictEqual } from 'node:util'
import { type ArrayRow, arrayColumns } from '../arrays/array-source.ts'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { openArrays } from '../maintenance/open-arrays.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import type { TrashPlaces } from './trash-places.ts'

const batchIds = 1000

/** Of these predictions those whose arrays have been saved since with other values than an operation has kept. */
export const replacedArrays = async (layout: Layout, { folder }: TrashPlaces, ids: readonly string[]): Promise<string[]> => {
  // Of a long list once: mostly all of them are on it.
  const removed = ids.length === 0 ? null : await readTombstonesIfSound(layout.arrays)
  const left = ids.filter((id) => removed?.has(id) !== true)
  if (left.length === 0) return []
  const [own, kept] = [openArrays(layout.root), openArrays(folder)]
  const replaced = new Set<string>()
  for (const dataset of await kept.listDatasets()) {
    for (let start = 0; start < left.length; start += batchIds) {
      const saved = await own.loadBatch(left.slice(start, start + batchIds), dataset)
      for (const [id, row] of saved.size === 0 ? [] : await kept.loadBatch([...saved.keys()], dataset)) {
        const present = saved.get(id)
        if (present !== undefined && !isDeepStrictEqual(bitsOf(row), bitsOf(present))) replaced.add(id)
      }
    }
  }
  return [...replaced].sort()
}

const bitsOf = (row: ArrayRow): unknown => [row.y_proba_shape, ...arrayColumns.map((column) => bitsIn(row[column]))]

const bitsIn = (list: ArrayRow[(typeof arrayColumns)[number]]): Buffer[] | null =>
  list === null ? null : [Buffer.from(list.values.buffer, list.values.byteOffset, list.values.byteLength), Buffer.from(list.nulls ?? [])]
