import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { ArrayReader } from '../arrays/array-reader.ts'
import { Engine, withEngine } from '../engine/open-engine.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { type MadePrediction, makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, expectedWorkspace, hasSharedWorkspaces, sharedWorkspaceNames } from '../testing/shared-workspaces.ts'
import { narrowFilter } from './narrow-filter.ts'
import { Predictions } from './predictions.ts'

const rows: MadePrediction[] = [
  { id: 'a', score: 0.4, y: [1, 2, 3] },
  { id: 'b', score: 0.2, y: [4, Number.NaN, 6] },
  { id: 'c', score: Number.NaN },
  { id: 'd', score: null, fold: '1' },
  { id: 'e', score: 0.0, fold: 'final', refit: 'standalone', partition: 'test' },
  { id: 'f', score: 0.1, dataset: 'soil pH', partition: 'val' },
  { id: 'g', score: 0.05, dataset: 'soil pH', partition: 'train', y: null },
]

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let cacheFolder: string
beforeAll(async () => {
  folder = await temporaryFolder()
  cacheFolder = join(folder.path, 'cache')
  await mkdir(join(folder.path, 'legacy'))
  await makeStore(join(folder.path, 'legacy', 'store.duckdb'), { release: '0.7.1', predictions: rows })
  await mkdir(join(folder.path, 'hybrid', 'arrays'), { recursive: true })
  await makeStore(join(folder.path, 'hybrid', 'store.duckdb'), { release: '0.8.1', predictions: rows })
  for (const [name, dataset] of [
    ['wheat', 'wheat'],
    ['soil_pH', 'soil pH'],
  ] as const) {
    const own = rows.filter((row) => (row.dataset ?? 'wheat') === dataset && row.y !== null)
    await makeParquet(join(folder.path, 'hybrid', 'arrays', `${name}.parquet`), own)
  }
})
afterAll(() => folder[Symbol.asyncDispose]())

const open = (name: string) => Predictions.open(join(folder.path, name), { cacheFolder })

describe('test_predictions_easy_loading', () => {
  test.each(['legacy', 'legacy/store.duckdb', 'hybrid', 'hybrid/store.duckdb'])('%s: counts, ranks, filters, loads', async (name) => {
    const before = await hashTree(join(folder.path, name.split('/')[0] ?? ''))
    await using predictions = await open(name)
    expect(predictions.mode).toBe('workspace')
    expect(await predictions.count()).toBe(7)
    expect((await predictions.top()).map((row) => row.prediction_id)).toEqual(['f', 'b', 'a'])
    expect((await predictions.top({ fold_kind: 'refit', dataset_name: 'wheat' })).length).toBe(0)
    expect(await predictions.getBest({ dataset_name: 'wheat', metric: 'rmse' })).toMatchObject({ prediction_id: 'b', val_score: 0.2 })
    await expect(predictions.getBest()).rejects.toMatchObject({ code: 'validation' })
    const soil = predictions.filter({ equals: { dataset_name: ['soil pH'] } })
    expect(await soil.count()).toBe(2)
    expect(await soil.getBest()).toMatchObject({ prediction_id: 'f' })
    expect(await predictions.get('a')).toMatchObject({ params: { n_components: 5 } })
    const arrays = await predictions.loadArrays(['b', 'g', 'nobody'])
    expect([...arrays.keys()]).toEqual(['b'])
    expect(await predictions.loadArrays([])).toEqual(new Map())
    for await (const batch of predictions.arrays([])) expect(batch).toEqual([])
    expect(Array.from(arrays.get('b')?.y_true?.values ?? [])).toEqual([4, Number.NaN, 6])
    expect(await hashTree(join(folder.path, name.split('/')[0] ?? ''))).toBe(before)
  })

  test('one dataset only, from the start', async () => {
    await using soil = await Predictions.fromFile(join(folder.path, 'hybrid'), { cacheFolder, datasetName: 'soil pH' })
    expect(await soil.count()).toBe(2)
    let loaded = 0
    for await (const batch of soil.arrays()) loaded += batch.length
    expect(loaded).toBe(1)
    expect(await soil.filter({ equals: { dataset_name: ['wheat'] } }).count()).toBe(0)
  })

  test('rows in a wished order; non-finite last; the same as an Arrow table', async () => {
    await using predictions = await open('legacy')
    const sorted = await predictions.toRows({ sort: [{ column: 'val_score', direction: 'desc' }] })
    expect(sorted.map((row) => row.prediction_id)).toEqual(['a', 'b', 'f', 'g', 'e', 'c', 'd'])
    expect(await predictions.toRows({ sort: [{ column: 'prediction_id', direction: 'asc' }], offset: 5, limit: 9 })).toHaveLength(2)
    const table = await predictions.toArrow({ sort: [{ column: 'prediction_id', direction: 'asc' }] })
    expect(table.numRows).toBe(7)
    expect(table.getChild('val_score')?.toArray()[0]).toBe(0.4)
    expect(table.getChild('prediction_id')?.get(6)).toBe('g')
    expect(table.getChild('val_score')?.get(3)).toBeNull()
  })

  test('asks in SQL, and cannot write in it', async () => {
    await using predictions = await open('hybrid')
    expect(await predictions.query('SELECT dataset_name, count(*) FROM predictions GROUP BY 1 ORDER BY 1')).toMatchObject({
      rows: [
        ['soil pH', 2],
        ['wheat', 5],
      ],
    })
    await expect(predictions.query('DELETE FROM predictions')).rejects.toMatchObject({ code: 'sql_not_allowed' })
  })

  test('an engine that did not open is tried again, and does not keep the catalog open', async () => {
    const predictions = await open('hybrid')
    const opening = vi.spyOn(ArrayReader, 'open').mockRejectedValueOnce(new Error('no memory'))
    await expect(predictions.loadArrays(['a'])).rejects.toThrow('no memory')
    expect((await predictions.loadArrays(['a'])).size).toBe(1)
    await predictions.close()
    const other = await open('hybrid')
    opening.mockRejectedValueOnce(new Error('no memory'))
    await expect(other.loadArrays(['a'])).rejects.toThrow('no memory')
    const closing = vi.spyOn(Engine.prototype, 'close')
    await other.close()
    expect(closing).toHaveBeenCalledTimes(1)
    vi.restoreAllMocks()
  })

  test('after closing, which can be repeated, every use says that it was closed, of a narrower view, too', async () => {
    const predictions = await open('hybrid')
    const narrower = predictions.filter({ equals: { dataset_name: ['wheat'] } })
    const begun = [predictions.rows(), narrower.arrays()]
    for (const each of begun) await each.next()
    await predictions.close()
    await narrower.close()
    const uses = (view: Predictions) => [
      () => view.count(),
      () => view.top(),
      () => view.getBest(),
      () => view.get('a'),
      () => view.rows().next(),
      () => view.toRows(),
      () => view.toArrow(),
      () => view.arrays().next(),
      () => view.loadArrays(['a']),
      () => view.query('from runs'),
    ]
    for (const use of [...uses(predictions), ...uses(narrower), ...begun.map((each) => () => each.next())]) {
      await expect(use()).rejects.toMatchObject({ code: 'validation', message: 'The predictions were closed. Nothing was changed.' })
    }
  })

  test('what is under way when it is closed ends with its answer or says that it was closed', async () => {
    for (let round = 0; round < 10; round++) {
      const predictions = await open('hybrid')
      const uses = [
        predictions.count(),
        predictions.top(),
        predictions.get('a'),
        predictions.toRows(),
        predictions.toArrow(),
        predictions.loadArrays(['a']),
        predictions.rows().next(),
        predictions.arrays().next(),
      ]
      const settled = Promise.allSettled(uses)
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate)
      await predictions.close()
      for (const result of await settled) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: 'validation', message: 'The predictions were closed. Nothing was changed.' })
      }
    }
  })

  test('of two narrowings the tighter bound holds', () => {
    const filter = (min: number, max: number) => ({ equals: {}, ranges: { val_score: { min, max } }, q: '' })
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), fc.integer(), (a, b, c, d) => {
        expect(narrowFilter(filter(a, b), filter(c, d)).ranges.val_score).toEqual({ min: Math.max(a, c), max: Math.min(b, d) })
      }),
    )
  })
})

describe('test_predictions_from_parquet', () => {
  test('an export with one row per sample is no file of arrays, and not called damaged', async () => {
    const path = join(folder.path, 'samples.parquet')
    await withEngine({}, (engine) =>
      engine.run(`COPY (SELECT 'a' AS prediction_id, 1.5::DOUBLE AS y_true, 2.5::DOUBLE AS y_pred) TO '${path}'`),
    )
    await expect(Predictions.open(path, { cacheFolder })).rejects.toMatchObject({
      code: 'not_a_workspace',
      message: 'samples.parquet has one row per sample, and no arrays of predictions. It was not changed.',
    })
  })

  test('a lone file: portable mode, ranking and arrays', async () => {
    const alone = join(folder.path, 'alone')
    await rm(alone, { recursive: true, force: true })
    await mkdir(alone)
    await makeParquet(
      join(alone, 'wheat.parquet'),
      rows.filter((row) => row.dataset === undefined),
    )
    for (const start of [Predictions.open, Predictions.fromParquet]) {
      await using predictions = await start(join(alone, 'wheat.parquet'), { cacheFolder })
      expect(predictions.mode).toBe('portable')
      expect(await predictions.count()).toBe(5)
      expect(await predictions.getBest()).toMatchObject({ prediction_id: 'b', model_name: 'PLS', dataset_name: 'wheat' })
      expect((await predictions.loadArrays(['a'])).get('a')?.y_pred?.values).toEqual(Float64Array.of(1, 2, 3))
      expect(await predictions.query('SELECT count(*) FROM predictions')).toMatchObject({ rows: [[5]] })
    }
    await expect(Predictions.fromParquet(join(folder.path, 'hybrid'), { cacheFolder })).rejects.toMatchObject({ code: 'validation' })
    await expect(Predictions.open(join(alone, 'nothing.parquet'), { cacheFolder })).rejects.toMatchObject({ code: 'workspace_not_found' })
  })
})

const Top = z.record(
  z.string(),
  z.array(z.object({ metric: z.string(), higherIsBetter: z.boolean(), top: z.array(z.object({ predictionId: z.string() })) })),
)

describe.skipIf(!hasSharedWorkspaces())('workspaces written by nirs4all', () => {
  test.each(sharedWorkspaceNames)('test_predictions_easy_loading: %s has the expected predictions, arrays and order', async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await hashTree(copy.path)
    await using predictions = await Predictions.open(copy.path, { cacheFolder })
    const expected = expectedWorkspace(name)
    const datasets = Object.entries(expected.datasets)
    expect(await predictions.count()).toBe(datasets.reduce((sum, [, dataset]) => sum + dataset.predictions, 0))
    let loaded = 0
    for await (const batch of predictions.arrays()) loaded += batch.length
    expect(loaded).toBe(datasets.reduce((sum, [, dataset]) => sum + dataset.withArrayRow, 0))
    for (const [dataset_name, metrics] of Object.entries(Top.parse(expected.topCv))) {
      for (const { metric, higherIsBetter, top } of metrics) {
        const direction = higherIsBetter ? 'higher' : 'lower'
        const found = await predictions.top({ dataset_name, metric, n: 10, direction })
        expect(
          found.map((row) => row.prediction_id),
          `${dataset_name} ${metric}`,
        ).toEqual(top.map((row) => row.predictionId))
      }
    }
    expect(await hashTree(copy.path)).toBe(before)
  })
})
