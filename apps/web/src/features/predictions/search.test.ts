import { facetColumns, type PredictionColumn, PredictionColumnName, rangeColumns } from '@nirs-workspace/types'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSearch, stringifySearch } from '../../lib/url-search.ts'
import { shownColumns, widthsOf, withColumns, withWidths } from './column-choice.ts'
import { equalityColumns, gridColumns, rangedColumns } from './columns.ts'
import {
  distributionParams,
  filterParams,
  type PredictionSearch,
  peekTabs,
  sortOf,
  toggleSort,
  validateSearch,
  withCountedRange,
  withFacet,
  withoutRange,
  withRange,
} from './search.ts'

const column = fc.constantFrom(...PredictionColumnName.options)
const text = fc.string({ minLength: 1, unit: 'binary' }).filter((value) => value.trim() === value && value.isWellFormed())

const anySearch: fc.Arbitrary<PredictionSearch> = fc.record(
  {
    q: text,
    dataset_name: fc.array(text, { minLength: 1, maxLength: 3 }),
    branch_name: fc.constant(['']),
    val_score_min: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    sort: fc
      .uniqueArray(fc.tuple(column, fc.constantFrom('asc', 'desc')), { minLength: 1, maxLength: 5, selector: ([name]) => name })
      .map((keys) => keys.map(([name, direction]) => `${name}:${direction}`)),
    peek: text,
    tab: fc.constantFrom(...peekTabs),
    pin: fc.constant('model_name,metric'),
    differ: fc.constant('only' as const),
    at: fc.integer({ min: 1, max: 1_000_000 }),
    ignored: fc.uniqueArray(text, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
)

describe('address of the predictions page', () => {
  it('comes back as it was written, whatever the names contain', () => {
    fc.assert(
      fc.property(anySearch, (search) => {
        expect(validateSearch(parseSearch(stringifySearch({ ...search })))).toEqual(search)
      }),
    )
  })

  it('never throws and never keeps what it does not know', () => {
    fc.assert(
      fc.property(fc.webQueryParameters(), (query) => {
        const search = validateSearch(parseSearch(query))
        expect(validateSearch({ ...search })).toEqual(search)
      }),
    )
  })

  it('says what of filters and order it does not understand, keeps saying so, and nothing of how the page looks', () => {
    const read = (query: string) => validateSearch(parseSearch(query))
    expect(
      read('?datset_name=x&val_score_min=abc&metric=rmse&sort=zz:asc&sort=metric:asc&tab=nosuch&at=-1&n_samples_max=&workspace=w'),
    ).toEqual({
      metric: ['rmse'],
      sort: ['metric:asc'],
      ignored: ['datset_name=x', 'val_score_min=abc', 'sort=zz:asc'],
    })
    const once = read('?datset_name=soil pH&ignored=a=b&ignored=')
    expect(once).toEqual({ ignored: ['a=b', 'datset_name=soil pH'] })
    expect(read(stringifySearch({ ...once }))).toEqual(once)
    const six = ['metric', 'val_score', 'test_score', 'partition', 'fold_id', 'run_name'].map((name) => `sort=${name}:asc`)
    expect(read(`?${six.join('&')}`).ignored).toEqual(['sort=run_name:asc'])
    expect(filterParams(once)).toEqual({})
    expect(withRange({ metric: ['rmse'] }, 'val_score', 'abc', '1')).toEqual({ metric: ['rmse'], val_score_max: '1' })
    const long = read(`?x=${'😀'.repeat(300)}`)
    expect(read(stringifySearch({ ...long }))).toEqual(long)
  })

  it('keeps of filters exactly what the server takes, and names the others', () => {
    const read = (query: string) => validateSearch(parseSearch(query))
    const refused = [
      'val_score_min=0x10',
      'val_score_max=1e400',
      'created_at_min=garbage',
      'created_at_max=2026-13-45',
      'has_arrays=maybe',
      'sort=val_score:asc:x',
    ]
    for (const one of refused) expect(read(`?metric=rmse&${one}`)).toEqual({ metric: ['rmse'], ignored: [one] })
    expect(read('?has_arrays=true&has_arrays=maybe')).toEqual({ has_arrays: ['true'], ignored: ['has_arrays=maybe'] })
    expect(read(`?run_name=${'x'.repeat(10_001)}`)).toEqual({ ignored: [`run_name=${'x'.repeat(10_001)}`.slice(0, 200)] })
    const taken = {
      val_score_min: '.5e1',
      created_at_min: '2026-03-01',
      created_at_max: '2026-03-01 09:30+01:00',
      aggregated: ['false'],
      sort: ['metric'],
    }
    expect(read(stringifySearch(taken))).toEqual(taken)
    expect(sortOf(taken)).toEqual([{ column: 'metric', direction: 'asc' }])
  })

  it('reads well', () => {
    expect(stringifySearch({ dataset_name: ['soil pH', 'wheat'], sort: ['val_score:asc'], cols: 'a,b', x: undefined })).toBe(
      '?dataset_name=soil+pH&dataset_name=wheat&sort=val_score:asc&cols=a,b',
    )
  })

  it('names the columns of the contract', () => {
    expect([...equalityColumns]).toEqual([...facetColumns])
    expect([...rangedColumns]).toEqual([...rangeColumns])
    expect(gridColumns.map(({ id }) => id).toSorted()).toEqual([...PredictionColumnName.options].toSorted())
  })
})

describe('sort keys', () => {
  it('a header click goes up, down, off and replaces others', () => {
    const once = toggleSort({ sort: ['metric:asc'] }, 'val_score', false)
    expect(once.sort).toEqual(['val_score:asc'])
    const twice = toggleSort(once, 'val_score', false)
    expect(twice.sort).toEqual(['val_score:desc'])
    expect(toggleSort(twice, 'val_score', false).sort).toBeUndefined()
  })

  it('forgets the row, where another one stands in another order', () => {
    expect(toggleSort({ at: 500, peek: 'p' }, 'val_score', false)).toEqual({ peek: 'p', sort: ['val_score:asc'] })
  })

  it('with shift it adds, turns in place, and leaves', () => {
    const two = toggleSort({ sort: ['metric:asc'] }, 'val_score', true)
    expect(two.sort).toEqual(['metric:asc', 'val_score:asc'])
    const turned = toggleSort(two, 'metric', true)
    expect(sortOf(turned)[0]).toEqual({ column: 'metric', direction: 'desc' })
    expect(toggleSort(turned, 'metric', true).sort).toEqual(['val_score:asc'])
  })
})

describe('distribution of a column', () => {
  it('takes one metric, leaves out its own range and, of validation scores, the refits', () => {
    const search = { val_score_min: '0.1', test_score_max: '2', q: 'pls' }
    expect(distributionParams(search, 'val_score', ['rmse'])).toEqual({
      test_score_max: '2',
      q: 'pls',
      metric: ['rmse'],
      fold_kind: ['fold', 'average', 'single', 'other'],
    })
    expect(distributionParams({ fold_kind: ['fold', 'refit'] }, 'val_score', [])).toEqual({ fold_kind: ['fold'] })
    expect(distributionParams({ fold_kind: ['refit'] }, 'val_score', [])).toBeUndefined()
    expect(distributionParams({ fold_kind: ['refit'] }, 'test_score', [])).toEqual({ fold_kind: ['refit'] })
  })
})

describe('range of validation scores', () => {
  const range = { val_score_min: '-0.1', val_score_max: '0.1' }
  const counted = ['fold', 'average', 'single', 'other']

  it('asks for the kinds that its bars count, never for refits beside them', () => {
    expect(withCountedRange({}, 'val_score', '-0.1', '0.1')).toEqual({ ...range, fold_kind: counted })
    expect(withCountedRange({ fold_kind: ['fold', 'refit'] }, 'val_score', '-0.1', '0.1')).toEqual({ ...range, fold_kind: ['fold'] })
  })

  it('takes the kinds that it brought with it when it goes, and no others', () => {
    expect(withoutRange({ ...range, fold_kind: counted }, 'val_score')).toEqual({})
    expect(withCountedRange({ ...range, fold_kind: counted }, 'val_score', '', '')).toEqual({})
    expect(withoutRange({ ...range, fold_kind: ['fold'] }, 'val_score')).toEqual({ fold_kind: ['fold'] })
    expect(withoutRange({ test_score_min: '0', fold_kind: counted }, 'test_score')).toEqual({ fold_kind: counted })
  })

  it('leaves the kinds as they are where refits alone are asked for, and for other columns', () => {
    expect(withCountedRange(range, 'val_score', '', '')).toEqual({})
    expect(withCountedRange({ fold_kind: ['refit'] }, 'val_score', '-0.1', '0.1')).toEqual({ ...range, fold_kind: ['refit'] })
    expect(withCountedRange({}, 'test_score', '0', '')).toEqual({ test_score_min: '0' })
  })
})

describe('filters, columns and widths', () => {
  it('a changed filter forgets the row, an empty one leaves the address', () => {
    expect(withFacet({ at: 9, metric: ['rmse'] }, 'metric', [])).toEqual({})
    expect(filterParams({ sort: ['metric:asc'], q: 'pls', partition: ['val'] })).toEqual({ q: 'pls', partition: ['val'] })
  })

  it('columns come back in their order; the standard choice is not written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(column, { minLength: 1 }), (columns: PredictionColumn[]) => {
        expect(shownColumns(withColumns({}, columns))).toEqual(columns)
      }),
    )
    expect(withColumns({ cols: 'metric' }, shownColumns({}))).toEqual({})
  })

  it('widths stay within limits', () => {
    expect(widthsOf(withWidths({}, { val_score: 5, metric: 200.4 }))).toEqual({ val_score: 56, metric: 200 })
    expect(widthsOf({ widths: 'nothing.90,val_score.abc,metric.90' })).toEqual({ metric: 90 })
  })
})
