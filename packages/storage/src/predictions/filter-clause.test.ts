import type { PredictionFilter } from '@nirs-workspace/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isStorageError } from '../errors.ts'
import { narrowFilter } from '../portable/narrow-filter.ts'
import { filterKey, whereClause } from './filter-clause.ts'
import { summarizeFilter } from './filter-summary.ts'
import { listPredictions } from './list.ts'
import { emptyFilter, openSampleCatalog, type SampleCatalog } from './testing/sample-catalog.ts'

let catalog: SampleCatalog
beforeAll(async () => {
  catalog = await openSampleCatalog()
  await catalog.insertPredictions([
    {
      prediction_id: 'a',
      val_score: 0.5,
      n_samples: 10,
      created_at: '2026-01-01 23:59:59.9',
      refit_context: null,
      best_params: '{"n_components": 5, "kernel": "rbf"}',
    },
    {
      prediction_id: 'b',
      val_score: Number.NaN,
      n_samples: 20,
      created_at: '2026-01-02 00:00:00',
      refit_context: 'standalone',
      best_params: '{"n_components":15,"kernel":"linear"}',
    },
    { prediction_id: 'c', val_score: Number.POSITIVE_INFINITY, n_samples: null, created_at: null, refit_context: '' },
    {
      prediction_id: 'd',
      val_score: null,
      n_samples: 30,
      created_at: '2026-01-03 12:00:00',
      has_arrays: false,
      preprocessings: 'SG(window=11)',
    },
    {
      prediction_id: 'e',
      val_score: -2,
      n_samples: 20,
      created_at: '2026-01-02 10:00:00',
      refit_context: "x' OR '1'='1",
      preprocessings: 'Rye : Oil',
    },
  ])
})
afterAll(() => catalog.close())

const ids = async (filter: Partial<PredictionFilter>): Promise<string> => {
  const sort = [{ column: 'prediction_id' as const, direction: 'asc' as const }]
  const page = await listPredictions(catalog, { filter: { ...emptyFilter, ...filter }, sort, limit: 100, offset: 0 })
  return page.rows.map((row) => row.prediction_id).join('')
}

describe('filters', () => {
  test('two of them together let through what both do: dates however they are written, and the words of both searches', async () => {
    const created = (min?: string, max?: string) => ({ ...emptyFilter, ranges: { created_at: { min, max } } })
    const both = (a: PredictionFilter, b: PredictionFilter) => Promise.all([ids(narrowFilter(a, b)), ids(narrowFilter(b, a))])
    expect(await both(created(undefined, '2026-01-02'), created(undefined, '2026-01-02T00:05'))).toEqual(['ab', 'ab'])
    expect(await both(created('2026-01-01T23:45Z'), created('2026-01-02T00:30+01:00'))).toEqual(['de', 'de'])
    expect(await both(created('2026-01-02'), created('2026-01-02T00:00', '2026-01-02'))).toEqual(['be', 'be'])
    const search = (q: string) => ({ ...emptyFilter, q })
    expect([await ids(search('= 5')), await both(search('n_components'), search('= 5'))]).toEqual(['', ['', '']])
    expect(await both(search('n_components : 5'), search('rbf'))).toEqual(['a', 'a'])
  })

  test('ranges include their ends and hold finite numbers only', async () => {
    expect(await ids({ ranges: { val_score: { min: -2, max: 0.5 } } })).toBe('ae')
    expect(await ids({ ranges: { val_score: { min: 0 } } })).toBe('a')
    expect(await ids({ ranges: { val_score: { max: '0.4' } } })).toBe('e')
    expect(await ids({ ranges: { val_score: { min: -1e300, max: Number.POSITIVE_INFINITY } } })).toBe('ae')
    expect(await ids({ ranges: { n_samples: { min: 20 } } })).toBe('bde')
    expect(await ids({ ranges: { n_samples: { min: 10.5, max: 29 } } })).toBe('be')
  })

  test('a date as upper end includes its whole day', async () => {
    expect(await ids({ ranges: { created_at: { max: '2026-01-01' } } })).toBe('a')
    expect(await ids({ ranges: { created_at: { min: '2026-01-02', max: '2026-01-02' } } })).toBe('be')
    expect(await ids({ ranges: { created_at: { min: '2026-01-02T00:00:01' } } })).toBe('de')
    // These times have no zone, so that of the date says nothing.
    expect(await ids({ ranges: { created_at: { max: '2026-01-01-11:00' } } })).toBe('a')
  })

  test('a parameter is found by its name and value, however these are joined', async () => {
    const five = ['n_components=5', 'n_components: 5', 'n_components:5', 'n_components = 5', '"n_components":5', 'kernel=rbf']
    for (const q of five) expect(await ids({ q }), q).toBe('a')
    for (const q of ['N_Components=15', 'kernel="linear"']) expect(await ids({ q }), q).toBe('b')
    expect(await ids({ q: 'n_components=6' })).toBe('')
    // As it is written, its parts count alone as well.
    expect(await ids({ q: '"n_components": 5' })).toBe('ab')
    for (const q of ['sg(window=11)', '11) sg(window=', '=']) expect(await ids({ q }), q).toBe('d')
    expect(await ids({ q: 'rye : oil' })).toBe('e')
  })

  test('the empty string asks for null and for empty text', async () => {
    expect(await ids({ equals: { refit_context: [''] } })).toBe('acd')
    expect(await ids({ equals: { refit_context: ['', 'standalone'] } })).toBe('abcd')
  })

  test('booleans are asked for by name; a value that no row has matches nothing', async () => {
    expect(await ids({ equals: { has_arrays: ['false'] } })).toBe('d')
    expect(await ids({ equals: { has_arrays: ['true', 'false'] } })).toBe('abcde')
    expect(await ids({ equals: { has_arrays: ['1=1'] } })).toBe('')
    expect(await ids({ equals: { dataset_name: ["wheat' OR ''='"] } })).toBe('')
    expect(await ids({ equals: { refit_context: ["x' OR '1'='1"] } })).toBe('e')
  })

  test('a bound that is no number is refused before it meets the database', () => {
    for (const bound of ['', 'abc', '1; DROP TABLE x', 'NaN', Number.NaN]) {
      const filter = { ...emptyFilter, ranges: { val_score: { min: bound } } }
      expect(() => whereClause(filter), String(bound)).toThrow(expect.toSatisfy((error) => isStorageError(error, 'validation')))
    }
  })

  test('text of the caller never becomes SQL', () => {
    const filter = { equals: { model_name: ['"; --'] }, ranges: { n_samples: { min: 3 } }, q: "o'brien" }
    expect(whereClause(filter)).toEqual({
      sql: 'WHERE ("model_name" IN ($f1)) AND "n_samples" >= $f2::DOUBLE AND contains(search_text, strip_accents(lower($f3)))',
      parameters: { f1: '"; --', f2: '3', f3: "o'brien" },
    })
    expect(whereClause(filter, { without: 'model_name' }).parameters).toEqual({ f1: '3', f2: "o'brien" })
  })

  test('filters that differ only in order are one filter', () => {
    const key = (equals: PredictionFilter['equals'], q = '') => filterKey({ equals, ranges: {}, q })
    expect(key({ metric: ['a', 'b'], partition: ['val'] }, 'x y')).toBe(key({ partition: ['val'], metric: ['b', 'a', 'a'] }, ' y  x'))
    expect(key({ metric: ['a', 'b'] })).not.toBe(key({ metric: ['a,b'] }))
    expect(key({ metric: ['a'] })).not.toBe(key({ model_name: ['a'] }))
  })

  test('a range with an infinite end is another filter than none, whichever is asked for first', async () => {
    const { NEGATIVE_INFINITY: least, POSITIVE_INFINITY: most } = Number
    const total = async (ranges: PredictionFilter['ranges']) => (await summarizeFilter(catalog, { ...emptyFilter, ranges })).total
    expect([await total({}), await total({ val_score: { min: least } }), await total({ val_score: { min: most } })]).toEqual([5, 2, 0])
    expect([await total({ n_samples: { max: most } }), await total({ n_samples: {} })]).toEqual([4, 5])
  })
})
