import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { binEdges, makeHistogram } from './histogram.ts'
import { emptyFilter, openSampleCatalog } from './testing/sample-catalog.ts'

/** Longer than the default: each run of a property makes a database of its own. */
const PROPERTY_MS = 60_000

const histogramOf = async (scores: readonly (number | null)[]) => {
  const catalog = await openSampleCatalog()
  await catalog.insertPredictions(scores.map((val_score, id) => ({ prediction_id: `id-${id}`, val_score })))
  const histogram = await makeHistogram(catalog, emptyFilter, 'val_score')
  catalog.close()
  return histogram
}

describe('histogram', () => {
  test(
    'counts every finite value in exactly one bin, nulls and non-finite values apart',
    async () => {
      const value = fc.oneof(
        fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, -Number.MAX_VALUE, Number.MAX_VALUE, 5e-324, 0, -0),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: -5, max: 5 }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(value, { maxLength: 60 }), async (scores) => {
          const { bins, nulls, non_finite } = await histogramOf(scores)
          const finite = scores.filter((score) => score !== null && Number.isFinite(score))
          expect(nulls).toBe(scores.filter((score) => score === null).length)
          expect(non_finite).toBe(scores.length - nulls - finite.length)
          expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(finite.length)
          for (const [index, { min, max, count }] of bins.entries()) {
            const last = index === bins.length - 1
            expect(count).toBe(finite.filter((score) => score !== null && score >= min && (last ? score <= max : score < max)).length)
            if (!last) expect(max).toBe(bins[index + 1]?.min)
          }
        }),
        { numRuns: 40 },
      )
    },
    PROPERTY_MS,
  )

  test('bins follow Freedman and Diaconis and are at most a hundred', () => {
    expect(binEdges({ finite: 1000, min: 0, max: 10, iqr: 5 })).toHaveLength(11)
    expect(binEdges({ finite: 1_000_000, min: 0, max: 1e9, iqr: 1 })).toHaveLength(101)
    expect(binEdges({ finite: 5, min: 2, max: 2, iqr: 0 })).toEqual([2, 2])
    expect(binEdges({ finite: 0, min: 0, max: 0, iqr: 0 })).toEqual([])
  })

  test('a test score of 0 that may stand for none is in no bin, one of test samples is', async () => {
    const catalog = await openSampleCatalog()
    const of = (partition: string, test_score: number | null) => ({ prediction_id: `${partition} ${test_score}`, partition, test_score })
    await catalog.insertPredictions([of('val', 0), of('train', -0), of('', 0), of('test', 0), of('val', 2), of('train', null)])
    const scores = await makeHistogram(catalog, emptyFilter, 'test_score')
    const none = await makeHistogram(catalog, { ...emptyFilter, equals: { partition: ['train'] } }, 'test_score')
    catalog.close()
    expect(scores.bins.map(({ count }) => count).filter((count) => count > 0)).toEqual([1, 1])
    expect(scores).toMatchObject({ nulls: 1, non_finite: 0, placeholders: 3 })
    expect(none).toMatchObject({ bins: [], nulls: 1, placeholders: 1 })
  })

  test('times are milliseconds', async () => {
    const catalog = await openSampleCatalog()
    await catalog.insertPredictions([{ prediction_id: 'a', created_at: '1970-01-01 00:00:01.5' }, { prediction_id: 'b' }])
    const histogram = await makeHistogram(catalog, emptyFilter, 'created_at')
    catalog.close()
    expect(histogram).toEqual({
      column: 'created_at',
      bins: [{ min: 1500, max: 1500, count: 1 }],
      nulls: 1,
      non_finite: 0,
      placeholders: 0,
      times: { first: '1970-01-01T00:00:01.5', last: '1970-01-01T00:00:01.5' },
    })
  })

  test('the first and the last time say whether they are UTC', async () => {
    const catalog = await openSampleCatalog('whole_seconds_utc')
    await catalog.insertPredictions([
      { prediction_id: 'a', created_at: '2026-11-21 09:30:00' },
      { prediction_id: 'b', created_at: '2026-11-22 09:30:00.25' },
    ])
    const { times } = await makeHistogram(catalog, emptyFilter, 'created_at')
    expect(times).toEqual({ first: '2026-11-21T09:30:00Z', last: '2026-11-22T09:30:00.25' })
    expect((await makeHistogram(catalog, emptyFilter, 'val_score')).times).toBeNull()
    catalog.close()
  })
})
