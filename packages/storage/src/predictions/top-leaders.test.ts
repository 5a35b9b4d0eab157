import type { PredictionFilter, TopQuery } from '@nirs-workspace/types'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { fillLeaders, leadersPerGroup } from '../catalog/fill-leaders.ts'
import { bestCv, bestRefit } from '../overview/best-scores.ts'
import { emptyFilter, openSampleCatalog, type SampleCatalog, type SampleRow } from './testing/sample-catalog.ts'
import { TopRequest, topPredictions } from './top.ts'

const Count = z.object({ n: z.number() })

let catalog: SampleCatalog
beforeAll(async () => {
  catalog = await openSampleCatalog()
})
beforeEach(async () => {
  await keep([])
})
afterAll(() => catalog.close())

const keep = async (rows: readonly SampleRow[], perGroup = leadersPerGroup): Promise<void> => {
  for (const table of ['predictions', 'leaders']) await catalog.engine.run(`DELETE FROM catalog.${table}`)
  await catalog.insertPredictions(rows)
  await fillLeaders(catalog.engine, rows.length, { fewest: 0, perGroup })
}

// A reader of its own each time: whether there are leaders is remembered of each.
const top = async (query: Partial<TopQuery>, filter: PredictionFilter = emptyFilter) =>
  (await topPredictions({ engine: catalog.engine }, TopRequest.parse(query), { filter })).map((row) => row.prediction_id)

const forget = () => catalog.engine.run('DELETE FROM catalog.leaders')

// Few scores, so that there are ties at every edge; most rows in few groups, so that these have more than are kept.
const score = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -8, max: 8 }).map((halves) => halves / 2) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null) },
)
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
const row = fc.record({
  dataset_name: mostly('wheat', 'rye'),
  metric: fc.constantFrom('bias', 'bias', 'rmse', 'RMSE', 'r2'),
  fold_kind: mostly('fold', 'average', 'single', 'refit', 'other'),
  partition: mostly('val', 'test'),
  aggregated: mostly(false, true),
  refit_context: mostly(null, 'standalone'),
  model_name: fc.constantFrom('PLS', 'Ridge'),
  val_score: score,
  test_score: score,
}) satisfies fc.Arbitrary<SampleRow>
const rows = fc
  .array(row, { minLength: 150, maxLength: 300, size: 'max' })
  .map((drawn) => drawn.map((one, index) => ({ ...one, prediction_id: `p${(index * 7919) % 1000}` })))

const query = fc.record(
  {
    n: fc.constantFrom(1, 2, 3),
    dataset_name: fc.constantFrom('wheat', 'oat'),
    metric: fc.constantFrom('rmse', 'r2', 'bias'),
    fold_kind: fc.constantFrom('fold', 'average', 'refit'),
    direction: fc.constantFrom('higher', 'lower', 'zero'),
  },
  { requiredKeys: ['n'] },
)
const filter = fc.constantFrom<PredictionFilter>(
  emptyFilter,
  { ...emptyFilter, equals: { dataset_name: ['rye'] } },
  { ...emptyFilter, equals: { metric: ['RMSE', 'bias'], fold_kind: ['fold', 'single'] } },
  { ...emptyFilter, equals: { model_name: ['Ridge'] } },
  { ...emptyFilter, ranges: { test_score: { min: 0.1 } } },
  { ...emptyFilter, q: 'ridge' },
)

test('the best among the leaders are the best of all, whatever is asked', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.array(fc.tuple(query, filter), { minLength: 6, maxLength: 12 }), async (drawn, asked) => {
      await keep(drawn, 3)
      const answers = async () => {
        const lists: unknown[] = [await bestCv({ engine: catalog.engine }, {}), await bestRefit({ engine: catalog.engine }, {})]
        for (const [one, narrowing] of asked) lists.push(await top(one, narrowing))
        return lists
      }
      const among = await answers()
      await forget()
      expect(among).toEqual(await answers())
    }),
    // Every attempt to shrink fills a catalog: minutes, for little.
    { numRuns: 20, endOnFailure: true },
  )
})

test('few of whole groups are looked for among the leaders, everything else among all', async () => {
  await keep(Array.from({ length: 40 }, (_, index) => ({ prediction_id: `p${index}`, val_score: index, model_name: 'Ridge' })))
  await catalog.engine.run("DELETE FROM catalog.leaders WHERE prediction_id = 'p0'")
  expect(await top({ n: 2 })).toEqual(['p1', 'p2'])
  expect(await top({ n: 2 }, { ...emptyFilter, equals: { dataset_name: ['wheat'] } })).toEqual(['p1', 'p2'])
  expect(await top({ n: leadersPerGroup + 1 })).toHaveLength(leadersPerGroup + 1)
  expect(await top({ n: 2 }, { ...emptyFilter, equals: { model_name: ['Ridge'] } })).toEqual(['p0', 'p1'])
  expect(await top({ n: 2 }, { ...emptyFilter, ranges: { val_score: { min: 0 } } })).toEqual(['p0', 'p1'])
  expect(await top({ n: 2 }, { ...emptyFilter, q: 'ridge' })).toEqual(['p0', 'p1'])
})

test('of every group no more are kept than can be asked for in any direction, and none where there are few predictions', async () => {
  const many = Array.from({ length: 300 }, (_, index) => ({ prediction_id: `p${index}`, val_score: index - 150 }))
  await keep(many)
  const [kept] = await catalog.engine.rows(Count, 'SELECT count(*)::INTEGER AS n FROM catalog.leaders')
  expect(kept?.n).toBe(3 * leadersPerGroup)
  await forget()
  await fillLeaders(catalog.engine, many.length)
  expect(await catalog.engine.rows(Count, 'SELECT count(*)::INTEGER AS n FROM catalog.leaders')).toEqual([{ n: 0 }])
})
