import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Predictions } from '../portable/predictions.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid } from './testing/merge-fixture.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const cacheFolder = () => join(folder.path, 'cache')
const merge = (target: string, sources: readonly string[], options: object = {}) =>
  mergeStores(target, sources, { cacheFolder: cacheFolder(), jobId: 'job', create: true, onConflict: 'keep_all', ...options })
/** The values of y_pred by id, of all predictions. */
const valuesOf = async (path: string) => {
  await using predictions = await Predictions.open(path, { cacheFolder: cacheFolder() })
  const ids = (await predictions.toRows()).map((row) => row.prediction_id)
  const arrays = await predictions.loadArrays(ids)
  return Object.fromEntries(ids.map((id) => [id, Array.from(arrays.get(id)?.y_pred?.values ?? [])]))
}

/** What is there without arrays, and has them in some of the sources. `last` keeps the file of arrays in its place. */
const lacking = (name: string, ys: Readonly<Record<string, number | null>>) =>
  makeHybrid(join(folder.path, name), {
    predictions: [
      ...Object.entries(ys).map(([id, y], fold) => ({ id, fold: String(fold), samples: 1, y: y === null ? null : [y] })),
      { id: 'last', fold: 'last', y: [0] },
    ],
  })

test('arrays that several sources have for what is there without are compared, whoever brought it', async () => {
  const to = await lacking('to', { same: null, other: null })
  const [a, b] = [await lacking('a', { same: 1, other: 1 }), await lacking('b', { same: 1, other: 2 })]
  const report = await merge(to, [a, b])
  expect(report).toMatchObject({
    array_rows: 3,
    sources: [
      { already_there: 3, arrays_added: 2, predictions_merged: 0 },
      { already_there: 2, arrays_added: 0, predictions_merged: 1 },
    ],
  })
  const { same, other, last, ...variants } = await valuesOf(to)
  expect([same, other, last, Object.values(variants)]).toEqual([[1], [1], [0], [[2]]])
  expect(await merge(to, [a, b], { jobId: 'again' })).toMatchObject({ record_path: null })
})

test('arrays that a first source lacks come from a later one, also when a third has others', async () => {
  const none = await lacking('none', { p: null })
  const [a, b] = [await lacking('a', { p: 1 }), await lacking('b', { p: 2 })]
  const to = join(folder.path, 'to')
  expect(await merge(to, [none, a, b], { onConflict: 'skip' })).toMatchObject({
    array_rows: 2,
    sources: [{ predictions_merged: 2 }, { already_there: 2, arrays_added: 1 }, { already_there: 1, skipped: 1, arrays_added: 0 }],
  })
  expect(await valuesOf(to)).toEqual({ p: [1], last: [0] })
})
