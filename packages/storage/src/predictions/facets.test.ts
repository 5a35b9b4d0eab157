import { type FacetColumn, facetColumns, type PredictionFilter } from '@nirs-workspace/types'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countFacets } from './facets.ts'
import { emptyFilter, openSampleCatalog, type SampleRow } from './testing/sample-catalog.ts'

/** Longer than the default: each run of a property makes a database of its own. */
const PROPERTY_MS = 60_000

const names = ['a', "o'brien", '100%', '__proto__', 'line\nfeed', 'Blé', '']
const row = (id: number) =>
  fc.record({
    prediction_id: fc.constant(`id-${id}`),
    dataset_name: fc.constantFrom(...names),
    model_name: fc.constantFrom('PLS', 'Ridge', 'constructor'),
    branch_name: fc.option(fc.constantFrom(...names)),
    fold_id: fc.constantFrom('0', '1', ''),
    aggregated: fc.boolean(),
  })
const rows = fc.integer({ min: 0, max: 30 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, id) => row(id))))

type Column = 'dataset_name' | 'model_name' | 'branch_name' | 'fold_id' | 'aggregated'
const columns: Column[] = ['dataset_name', 'model_name', 'fold_id', 'branch_name', 'aggregated']
const filterOf = fc
  .dictionary(
    fc.constantFrom('dataset_name', 'model_name', 'branch_name'),
    fc.uniqueArray(fc.constantFrom(...names, 'PLS'), { minLength: 1 }),
  )
  .map((equals): PredictionFilter => ({ ...emptyFilter, equals }))

const textOf = (sample: SampleRow, column: Column): string => String(sample[column] ?? '')
const passes = (filter: PredictionFilter, without?: Column) => (sample: SampleRow) =>
  columns.every((column) => column === without || (filter.equals[column]?.includes(textOf(sample, column)) ?? true))

const bytes = (text: string | null) => Buffer.from(text ?? '')
const oracle = (sample: readonly SampleRow[], filter: PredictionFilter, column: Column) => {
  const groups = Map.groupBy(sample.filter(passes(filter, column)), (item) => textOf(item, column))
  const values = [...groups].map(([value, items]) => ({ value: value === '' ? null : value, count: items.length }))
  return values.sort(
    (a, b) => b.count - a.count || Number(a.value === null) - Number(b.value === null) || Buffer.compare(bytes(a.value), bytes(b.value)),
  )
}

describe('facets', () => {
  test(
    'each counts under all filters but its own, as a count in memory does',
    async () => {
      await fc.assert(
        fc.asyncProperty(rows, filterOf, async (sample, filter) => {
          const catalog = await openSampleCatalog()
          await catalog.insertPredictions(sample)
          const { total, facets } = await countFacets(catalog, filter)
          catalog.close()
          expect(total).toBe(sample.filter(passes(filter)).length)
          for (const column of columns) {
            const values = oracle(sample, filter, column)
            expect(facets[column], column).toEqual({ values, distinct: values.length })
          }
        }),
        { numRuns: 30 },
      )
    },
    PROPERTY_MS,
  )

  test('gives the most frequent values and tells how many there are', async () => {
    const catalog = await openSampleCatalog()
    await catalog.insertPredictions(
      ['b', 'b', 'b', 'a', 'c', 'c', 'd'].map((model_name, id) => ({ prediction_id: `id-${id}`, model_name })),
    )
    const { facets } = await countFacets(catalog, emptyFilter, { columns: ['model_name'], limit: 3 })
    expect(facets).toEqual({
      model_name: {
        values: [
          { value: 'b', count: 3 },
          { value: 'c', count: 2 },
          { value: 'a', count: 1 },
        ],
        distinct: 4,
      },
    })
    const own = await countFacets(catalog, { ...emptyFilter, equals: { model_name: ['a'] } }, { columns: ['model_name'] })
    expect([own.total, own.facets.model_name?.distinct]).toEqual([1, 4])
    expect(await countFacets(catalog, emptyFilter, { columns: [] })).toEqual({ total: 7, facets: {} })
    const all = await countFacets(catalog, emptyFilter)
    expect(Object.keys(all.facets)).toEqual([...facetColumns] satisfies FacetColumn[])
    catalog.close()
  })
})
