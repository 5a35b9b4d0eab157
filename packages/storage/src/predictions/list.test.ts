import type { PredictionFilter, PredictionRow, SortKey } from '@nirs-workspace/types'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { listPredictions, prepareOrder } from './list.ts'
import { emptyFilter, openSampleCatalog, type SampleCatalog, type SampleRow } from './testing/sample-catalog.ts'

let catalog: SampleCatalog | undefined
afterEach(() => {
  catalog?.close()
  catalog = undefined
})

/** Longer than the default: each run of a property makes a database of its own. */
const PROPERTY_MS = 60_000

const filled = async (rows: readonly SampleRow[]): Promise<SampleCatalog> => {
  catalog?.close()
  catalog = await openSampleCatalog()
  await catalog.insertPredictions(rows)
  return catalog
}

const sortable = [
  'val_score',
  'test_score',
  'dataset_name',
  'n_samples',
  'branch_name',
  'aggregated',
  'created_at',
  'prediction_id',
] as const
type Sortable = (typeof sortable)[number]

const hostile = ["o'brien", 'a"b', '100%', 'under_score', '__proto__', 'line\nfeed', 'Blé dur / lot 2', '', 'soil pH', '\\', '😀']
const score = fc.option(fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0.5, 0, 0.25, 0.5, 1e300, 5e-324))
const row = (id: number) =>
  fc.record({
    prediction_id: fc.constant(`id-${id % 7}${id}`),
    dataset_name: fc.constantFrom(...hostile),
    val_score: score,
    test_score: score,
    n_samples: fc.option(fc.integer({ min: 0, max: 3 })),
    branch_name: fc.option(fc.constantFrom(...hostile)),
    aggregated: fc.boolean(),
    has_arrays: fc.boolean(),
    created_at: fc.option(fc.constantFrom('2026-01-02 03:04:05', '2026-01-02 03:04:05.000001', '1999-12-31 23:59:59')),
  })
const rows = fc.integer({ min: 0, max: 40 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, id) => row(id))))
const sort: fc.Arbitrary<SortKey[]> = fc.array(
  fc.record({ column: fc.constantFrom(...sortable), direction: fc.constantFrom('asc' as const, 'desc' as const) }),
  { minLength: 1, maxLength: 3 },
)

const rankOf = (value: unknown): number =>
  value === null || value === undefined ? 2 : typeof value === 'number' && !Number.isFinite(value) ? 1 : 0
const withNaNLargest = (value: number) => (Number.isNaN(value) ? [1, 0] : [0, value])

const compareValues = (a: unknown, b: unknown): number => {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  const [x = [0], y = [0]] = [a, b].map((value) => withNaNLargest(Number(value)))
  for (const [index, part] of x.entries()) if (part !== y[index]) return part < (y[index] ?? 0) ? -1 : 1
  return 0
}

const oracle = (keys: readonly SortKey[], sample: readonly SampleRow[]) => (a: SampleRow, b: SampleRow) => {
  for (const { column, direction } of keys) {
    const [x, y] = [a[column as Sortable], b[column as Sortable]]
    const rank = rankOf(x) - rankOf(y)
    if (rank !== 0) return rank
    const order = rankOf(x) === 2 ? 0 : compareValues(x, y)
    if (order !== 0) return direction === 'desc' ? -order : order
  }
  const last = keys.filter(({ column }, index) => keys.findIndex((other) => other.column === column) === index).at(-1)
  return last?.column === 'created_at' ? sample.indexOf(a) - sample.indexOf(b) : compareValues(a.prediction_id, b.prediction_id)
}

const manyRows = async (): Promise<SampleCatalog> => {
  catalog?.close()
  catalog = await openSampleCatalog()
  await catalog.engine.run(`INSERT INTO catalog.predictions BY NAME SELECT 'id-' || (i * 7919 % 10000) AS prediction_id, 'd' || i % 3 AS dataset_name,
    'm' AS model_name, 'm' AS model_class, '0' AS fold_id, 'val' AS partition, 'rmse' AS metric, 'regression' AS task_type, 'raw' AS preprocessings,
    CASE i % 11 WHEN 0 THEN NULL WHEN 1 THEN 'NaN'::DOUBLE WHEN 2 THEN '-Infinity'::DOUBLE ELSE (i % 501)::DOUBLE END AS val_score,
    'fold' AS fold_kind, false AS aggregated, true AS has_arrays, 'id-' || i AS search_text FROM range(10000) t(i)`)
  return catalog
}

const allPages = async (from: SampleCatalog, filter: PredictionFilter, keys: SortKey[], limit: number): Promise<PredictionRow[]> => {
  const found: PredictionRow[] = []
  for (let offset = 0; ; offset += limit) {
    const page = await listPredictions(from, { filter, sort: keys, limit, offset })
    found.push(...page.rows)
    if (offset + limit >= page.total) return found
  }
}

describe('paging', () => {
  test(
    'any sort gives every row exactly once, finite before non-finite before null, ties by id or as they lie',
    async () => {
      await fc.assert(
        fc.asyncProperty(rows, sort, fc.integer({ min: 4, max: 20 }), async (sample, keys, limit) => {
          const from = await filled(sample)
          const expected = [...sample].sort(oracle(keys, sample)).map(({ prediction_id }) => prediction_id)
          const listed = await allPages(from, emptyFilter, keys, limit)
          expect(listed.map(({ prediction_id }) => prediction_id)).toEqual(expected)
        }),
        { numRuns: 40 },
      )
    },
    PROPERTY_MS,
  )

  test(
    'any filter gives exactly the rows that an in-memory filter gives',
    async () => {
      const choice = fc.option(fc.uniqueArray(fc.constantFrom(...hostile), { minLength: 1, maxLength: 3 }), { nil: undefined })
      await fc.assert(
        fc.asyncProperty(
          rows,
          choice,
          choice,
          fc.option(fc.boolean(), { nil: undefined }),
          async (sample, datasets, branches, aggregated) => {
            const filter: PredictionFilter = {
              equals: {
                ...(datasets === undefined ? {} : { dataset_name: datasets }),
                ...(branches === undefined ? {} : { branch_name: branches }),
                ...(aggregated === undefined ? {} : { aggregated: [String(aggregated)] }),
              },
              ranges: {},
              q: '',
            }
            const from = await filled(sample)
            const expected = sample
              .filter((r) => datasets?.includes(r.dataset_name ?? '') ?? true)
              .filter((r) => branches?.includes(r.branch_name ?? '') ?? true)
              .filter((r) => aggregated === undefined || r.aggregated === aggregated)
              .map((r) => r.prediction_id)
              .sort()
            const listed = await allPages(from, filter, [{ column: 'prediction_id', direction: 'asc' }], 7)
            expect(listed.map((r) => r.prediction_id).sort()).toEqual(expected)
          },
        ),
        { numRuns: 40 },
      )
    },
    PROPERTY_MS,
  )

  test('of two who ask for the same deep page one may leave; a page that nobody waits for can be asked for again', async () => {
    const from = await manyRows()
    const query = { filter: emptyFilter, sort: [{ column: 'prediction_id' as const, direction: 'asc' as const }], limit: 5, offset: 5000 }
    const leaving = new AbortController()
    const [left, stayed] = [listPredictions(from, query, { signal: leaving.signal }), listPredictions(from, query)]
    setImmediate(() => leaving.abort(new Error('gone')))
    await expect(left).rejects.toThrow('gone')
    const { rows: expected } = await stayed
    const alone = new AbortController()
    const other = { ...query, filter: { ...emptyFilter, q: 'id' } }
    const abandoned = listPredictions(from, other, { signal: alone.signal })
    setImmediate(() => alone.abort(new Error('gone too')))
    await expect(abandoned).rejects.toThrow('gone too')
    expect((await listPredictions(from, other)).rows).toEqual(expected)
  })

  test('an order that was prepared gives the same pages', async () => {
    const from = await manyRows()
    const query = { filter: emptyFilter, sort: [{ column: 'val_score' as const, direction: 'asc' as const }], limit: 50, offset: 100 }
    const before = await listPredictions(from, query)
    await prepareOrder(from, query)
    expect(await listPredictions(from, query)).toEqual(before)
  })

  test('first pages, deep pages and last pages of many rows agree with one another and with memory', async () => {
    const from = await manyRows()
    const query = { filter: emptyFilter, sort: [{ column: 'val_score' as const, direction: 'desc' as const }], limit: 1000 }
    const direct = (await listPredictions(from, { ...query, offset: 1000 })).rows
    const last = (await listPredictions(from, { ...query, offset: 9300 })).rows
    const pages = []
    for (let offset = 4000; offset < 14_000; offset += 1000) pages.push(await listPredictions(from, { ...query, offset: offset % 10_000 }))
    const ids = [...pages.slice(6), ...pages.slice(0, 6)].flatMap((page) => page.rows.map((r) => r.prediction_id))
    expect(new Set(ids).size).toBe(10_000)
    expect(direct.map((r) => r.prediction_id)).toEqual(ids.slice(1000, 2000))
    expect(last.map((r) => r.prediction_id)).toEqual(ids.slice(9300))
    const scores = [...pages.slice(6), ...pages.slice(0, 6)].flatMap((page) => page.rows.map((r) => r.val_score))
    expect(scores[0]).toBe(500)
    expect(scores.at(-1)).toBeNull()
    expect(scores.indexOf('NaN')).toBeGreaterThan(scores.lastIndexOf(0))
    expect(scores.indexOf(null)).toBeGreaterThan(scores.lastIndexOf('-Infinity'))
  })

  test('a page behind the end is empty and still tells the total', async () => {
    const from = await filled([{ prediction_id: 'a' }])
    expect(await listPredictions(from, { filter: emptyFilter, sort: [], limit: 10, offset: 5000 })).toEqual({
      rows: [],
      total: 1,
      offset: 5000,
      metrics: ['rmse'],
    })
  })
})

describe('rows', () => {
  test('every column comes through, non-finite numbers as wire strings, times without an invented zone', async () => {
    const from = await filled([
      {
        prediction_id: '__proto__',
        dataset_name: 'soil pH',
        val_score: Number.NaN,
        test_score: Number.NEGATIVE_INFINITY,
        train_score: -0.1,
        n_samples: 12,
        created_at: '2026-03-01 08:09:10.5',
        refit_context: 'standalone',
        best_params: '{"n_components": 8}',
      },
    ])
    const page = await listPredictions(from, { filter: emptyFilter, sort: [], limit: 10, offset: 0 })
    expect(page.rows).toEqual([
      {
        prediction_id: '__proto__',
        dataset_name: 'soil pH',
        model_name: 'PLS',
        model_class: 'PLSRegression',
        preprocessings: 'raw',
        fold_id: '0',
        fold_kind: 'fold',
        aggregated: false,
        partition: 'val',
        metric: 'rmse',
        val_score: 'NaN',
        test_score: '-Infinity',
        train_score: -0.1,
        task_type: 'regression',
        n_samples: 12,
        n_features: null,
        best_params: '{"n_components": 8}',
        branch_id: null,
        branch_name: null,
        refit_context: 'standalone',
        exclusion_count: null,
        exclusion_rate: null,
        run_id: null,
        run_name: null,
        pipeline_id: null,
        pipeline_name: null,
        chain_id: null,
        created_at: '2026-03-01T08:09:10.5',
        has_arrays: true,
        arrays_state: 'stored',
      },
    ])
  })

  test('predictions of several metrics say so', async () => {
    const from = await filled([
      { prediction_id: 'a', metric: 'rmse' },
      { prediction_id: 'b', metric: 'balanced_accuracy' },
    ])
    const { metrics } = await listPredictions(from, { filter: emptyFilter, sort: [], limit: 1, offset: 0 })
    expect(metrics).toEqual(['balanced_accuracy', 'rmse'])
  })
})

describe('search', () => {
  const ids = async (q: string) => {
    const from = await filled([
      { prediction_id: 'a', dataset_name: 'Blé dur / lot 2', preprocessings: 'SNV>1stDer' },
      { prediction_id: 'b', dataset_name: '100% rye', preprocessings: 'raw' },
      { prediction_id: 'c', dataset_name: '100 rye_bread', preprocessings: 'snv' },
    ])
    const page = await listPredictions(from, {
      filter: { ...emptyFilter, q },
      sort: [{ column: 'prediction_id', direction: 'asc' }],
      limit: 10,
      offset: 0,
    })
    return page.rows.map((r) => r.prediction_id)
  }

  test('every word must occur, in any case', async () => {
    expect(await ids('snv')).toEqual(['a', 'c'])
    expect(await ids('  SNV   blé ')).toEqual(['a'])
    expect(await ids('snv nowhere')).toEqual([])
  })

  test('percent and underscore are letters like others', async () => {
    expect(await ids('100%')).toEqual(['b'])
    expect(await ids('rye_')).toEqual(['c'])
    expect(await ids("'; DROP TABLE catalog.predictions; --")).toEqual([])
  })
})

describe('leaving', () => {
  test('a request that is no longer wanted ends with its reason, and the next one is answered', async () => {
    const from = await filled([{ prediction_id: 'a' }])
    const query = { filter: emptyFilter, sort: [], limit: 10, offset: 0 }
    const reason = new Error('gone')
    await expect(listPredictions(from, query, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect((await listPredictions(from, query)).total).toBe(1)
  })
})
