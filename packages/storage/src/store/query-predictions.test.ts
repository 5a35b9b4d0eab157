import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import type { PredictionRecord } from './store-rows.ts'
import { beginLineage, predictionOf } from './testing/store-fixture.ts'
import { WorkspaceStore } from './workspace-store.ts'

type Direction = 'higher' | 'lower' | 'zero'
const keys: Record<Direction, (score: number) => number> = { higher: (score) => -score, lower: (score) => score, zero: Math.abs }

/** Finite ones first, then as numbers are sorted, NaN and null at the end; ties by id. */
const sorted = (rows: readonly PredictionRecord[], direction: Direction): PredictionRecord[] => {
  const keyOf = ({ val_score }: PredictionRecord) => (val_score === null ? null : keys[direction](val_score))
  const placeOf = (key: number | null) => [
    Number(key === null || !Number.isFinite(key)),
    Number(key === null),
    Number(Number.isNaN(key)),
    key ?? 0,
  ]
  return rows.toSorted((left, right) => {
    const [a, b] = [placeOf(keyOf(left)), placeOf(keyOf(right))]
    for (const [index, one] of a.entries()) {
      const other = b[index] ?? 0
      if (one < other) return -1
      if (one > other) return 1
    }
    return left.prediction_id < right.prediction_id ? -1 : 1
  })
}

// Without quotes DuckDB takes them for decimals first, and for another double then.
const [readTooLow, readTooHigh] = [0.903_691_339_327_650_1, 0.982_848_142_398_891_1]

const score = fc.oneof(
  // Few values, so that there are ties at the last place that is asked for.
  { weight: 4, arbitrary: fc.integer({ min: -4, max: 4 }) },
  // Neighbours, told apart by their last digit.
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(readTooLow, readTooHigh), fc.integer({ min: -1, max: 1 }))
      .map(([base, steps]) => base + (steps * Number.EPSILON) / 2),
  },
  { weight: 1, arbitrary: fc.double() },
  { weight: 4, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null, 1e300, -1e300) },
)
const saved = fc.array(fc.record({ metric: fc.constantFrom('rmse', 'RMSE', 'r2'), val_score: score }), { minLength: 1, maxLength: 24 })
const asked = fc.record({
  n: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(1000, 1001)),
  direction: fc.constantFrom<Direction | undefined>('higher', 'lower', 'zero', undefined),
})

test('the best are those of a whole sort, whatever the scores, the direction and how many are asked for', async () => {
  await using scratch = await temporaryFolder()
  await using store = await WorkspaceStore.open(scratch.path, { create: true })
  let datasets = 0
  await fc.assert(
    fc.asyncProperty(saved, fc.array(asked, { minLength: 8, maxLength: 8 }), async (rows, questions) => {
      const dataset_name = `wheat ${datasets++}`
      const lineage = await beginLineage(store, dataset_name)
      rows.forEach((row, index) => {
        store.bufferPrediction(predictionOf(lineage, { ...row, dataset_name, fold_id: `${index}` }))
      })
      await store.flush()
      const all = await store.queryPredictions({ dataset_name })
      expect(all).toHaveLength(rows.length)
      const competing = all.filter(({ metric }) => metric.toLowerCase() === 'rmse')
      for (const { n, direction } of questions) {
        const best = await store.topPredictions({ dataset_name, metric: 'rmse', n, direction })
        expect(best).toEqual(sorted(competing, direction ?? 'lower').slice(0, n))
      }
    }),
    {
      numRuns: 25,
      endOnFailure: true,
      examples: [
        [[{ metric: 'rmse', val_score: readTooLow }], [{ n: 1, direction: 'lower' }]],
        [[{ metric: 'rmse', val_score: readTooHigh }], [{ n: 1, direction: 'higher' }]],
      ],
    },
  )
})

test('a pipeline notes scores of any size', async () => {
  await using scratch = await temporaryFolder()
  await using store = await WorkspaceStore.open(scratch.path, { create: true })
  const { pipeline, run } = await beginLineage(store)
  await store.completePipeline(pipeline, { best_val: 1e300, best_test: -1e300, metric: 'rmse' })
  expect(await store.listPipelines(run)).toMatchObject([{ best_val: 1e300, best_test: -1e300 }])
})
