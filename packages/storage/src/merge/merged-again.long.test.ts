import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { makeParquet, temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { mergeStores } from './merge-stores.ts'
import { type MadeForMerge, makeHybrid, queryStore } from './testing/merge-fixture.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const make = (name: string, predictions: readonly MadeForMerge[]) => makeHybrid(join(folder.path, name), { predictions })
const merge = (target: string, sources: readonly string[], options: object = {}) =>
  mergeStores(target, sources, { cacheFolder: join(folder.path, 'cache'), jobId: 'job', create: true, ...options })

test('text that is no JSON is the same text once it has come', async () => {
  const from = await make(
    'odd',
    ['p', 'q', 'r', 's'].map((id, fold) => ({ id, fold: String(fold), y: null, samples: null })),
  )
  const texts = ['', 'None', '{"alpha": NaN}', '"é/\\u00e9"']
  await convertStore(from, [
    ...texts.map((text, fold) => `UPDATE predictions SET best_params = '${text}' WHERE fold_id = '${fold}'`),
    "UPDATE pipelines SET expanded_config = 'None'",
    "UPDATE chains SET branch_path = ''",
  ])
  const target = join(folder.path, 'target')
  expect(await merge(target, [from])).toMatchObject({ sources: [{ predictions_merged: 4 }] })
  expect(await merge(target, [from], { onConflict: 'skip', jobId: 'again' })).toMatchObject({ record_path: null })
  // Nor does what comes later make its pipeline and chain anew.
  await changeStore(join(target, 'store.duckdb'), "DELETE FROM predictions WHERE fold_id = '0'")
  expect(await merge(target, [from], { jobId: 'third' })).toMatchObject({ rows: { pipelines: 0, chains: 0 } })
})

/** Rows of the target in the order of their scores, with what lies in their arrays. */
const scoresIn = (target: string) =>
  queryStore(target, 'SELECT prediction_id AS id, val_score AS score FROM predictions ORDER BY score, id')

test('a row that got another id and was saved anew is no longer the one that came, which comes again', async () => {
  const to = await make('to', [{ id: 'x', score: 1, y: [1] }])
  const from = await make('from', [{ id: 'x', score: 2, y: [2] }])
  await merge(to, [from], { onConflict: 'keep_all' })
  const [, came] = await scoresIn(to)
  await changeStore(join(to, 'store.duckdb'), `UPDATE predictions SET val_score = 3, n_samples = NULL WHERE prediction_id = '${came?.id}'`)
  expect(await merge(to, [from], { onConflict: 'keep_all', jobId: 'second' })).toMatchObject({
    sources: [{ already_there: 0, predictions_merged: 1, arrays_added: 0 }],
  })
  const all = await scoresIn(to)
  expect(all.map(({ score }) => score)).toEqual([1, 2, 3])
  expect(new Set(all.map(({ id }) => id)).size).toBe(3)
  // Known by its further id also when the one between has gone.
  for (const jobId of ['third', 'fourth']) {
    expect(await merge(to, [from], { onConflict: 'keep_all', jobId })).toMatchObject({ record_path: null })
    await changeStore(join(to, 'store.duckdb'), `DELETE FROM predictions WHERE prediction_id = '${came?.id}'`)
  }
})

test('what gives way and comes back from a later source comes under an id of its own, and lies in the trash as well', async () => {
  const to = await make('to', [{ id: 'x', score: 0.9, y: [9] }])
  const later = await make('later', [{ id: 'x', score: 0.6, y: [6] }])
  await merge(to, [later])
  const before = await scoresIn(to)
  expect(before).toMatchObject([{ score: 0.6 }])
  const first = await make('first', [{ id: 'w', score: 0.4, y: [4] }])
  const better = await make('better', [
    { id: 'x', score: 0.6, y: [6] },
    { id: 'z', score: 0.3, y: [3] },
  ])
  expect(await merge(to, [first, better], { jobId: 'back' })).toMatchObject({
    sources: [
      { predictions_merged: 0, replaced: 0 },
      { predictions_merged: 2, replaced: 1 },
    ],
  })
  const after = await scoresIn(to)
  expect(after).toMatchObject([{ score: 0.3 }, { score: 0.6 }])
  expect(after.map(({ id }) => id)).not.toContain(before[0]?.id)
  expect(await merge(to, [first, better], { jobId: 'again' })).toMatchObject({ record_path: null })
})

/** A target whose `x` is another one than that of the source, and the id under which that one has come. */
const makeRenamed = async (y: readonly number[] | null) => {
  const to = await make('to', [{ id: 'x', score: 5, y: [5] }])
  const from = await make('from', [{ id: 'x', score: 1, y, samples: null }])
  await merge(to, [from], { onConflict: 'keep_all' })
  const [came] = await scoresIn(to)
  return { to, from, id: String(came?.id) }
}

test('a row and another one under the id made of it come under ids of their own, once', async () => {
  const { to, id } = await makeRenamed(null)
  const rows = ['x', id].map((one) => ({ id: one, score: 1, y: null, samples: null }))
  const twice = await make('twice', rows)
  const third = await make('third', [{ id: 'x', score: 3, y: null, samples: null }])
  await changeStore(join(to, 'store.duckdb'), `UPDATE predictions SET val_score = 9 WHERE prediction_id = '${id}'`)
  for (const target of [to, third]) {
    expect(await merge(target, [twice], { onConflict: 'keep_all', jobId: 'second' })).toMatchObject({
      sources: [{ predictions_merged: 2 }],
    })
    expect((await scoresIn(target)).filter(({ score }) => score === 1)).toHaveLength(2)
    expect(await merge(target, [twice], { onConflict: 'keep_all', jobId: 'again' })).toMatchObject({ record_path: null })
  }
})

test('what comes without arrays comes under no id of which arrays still lie in a file', async () => {
  const { to, id } = await makeRenamed([1])
  const bare = await make('bare', [{ id: 'x', score: 1, y: null, samples: null }])
  await changeStore(join(to, 'store.duckdb'), `DELETE FROM predictions WHERE prediction_id = '${id}'`)
  expect(await merge(to, [bare], { onConflict: 'keep_all', jobId: 'second' })).toMatchObject({ sources: [{ predictions_merged: 1 }] })
  const [came] = await scoresIn(to)
  expect(came).toMatchObject({ score: 1, id: expect.not.stringMatching(id) })
  expect(await merge(to, [bare], { onConflict: 'keep_all', jobId: 'again' })).toMatchObject({ record_path: null })
})

test('what came from a workspace under another id does not come back to it, also where it came for its arrays', async () => {
  const rows = (score: number, y: number): MadeForMerge[] => [
    { id: 'x', score, y: [y] },
    { id: 'z', fold: '1', y: [y] },
  ]
  const [a, b] = [await make('a', rows(1, 1)), await make('b', rows(2, 2))]
  await merge(b, [a], { onConflict: 'keep_all' })
  expect(await merge(a, [b], { onConflict: 'keep_all', jobId: 'back' })).toMatchObject({
    sources: [{ predictions_merged: 2, already_there: 2 }],
  })
  expect(await merge(b, [a], { onConflict: 'keep_all', jobId: 'again' })).toMatchObject({ record_path: null })
})

test('what came for its arrays and was saved anew with others is no longer the one that came, which comes again', async () => {
  const to = await make('to', [{ id: 'x', y: [2] }])
  const from = await make('from', [{ id: 'x', y: [1] }])
  await merge(to, [from], { onConflict: 'keep_all' })
  const ids = (await scoresIn(to)).map(({ id }) => String(id))
  const file = join(to, 'arrays', 'wheat.parquet')
  await rm(file)
  await makeParquet(
    file,
    ids.map((id) => ({ id, y: [id === 'x' ? 2 : 5] })),
  )
  expect(await merge(to, [from], { onConflict: 'keep_all', jobId: 'second' })).toMatchObject({ sources: [{ predictions_merged: 1 }] })
  expect(await scoresIn(to)).toHaveLength(3)
  expect(await merge(to, [from], { onConflict: 'keep_all', jobId: 'again' })).toMatchObject({ record_path: null })
})
