import { Facets } from '@nirs-workspace/types'
import { describe, expect, it } from 'vitest'
import { constantColumns, withoutConstant } from './constant-facets.ts'

const facet = (values: readonly string[], distinct = values.length) => ({ values: values.map((value) => ({ value, count: 1 })), distinct })
const facets = Facets.parse({
  total: 3,
  facets: {
    metric: facet(['rmse']),
    partition: facet(['val', 'test']),
    dataset_name: facet(['rye', 'wheat']),
    run_id: facet(['a', 'b'], 900),
  },
})

describe('columns with one value', () => {
  it('are those with one value under the filters, or filtered to one', () => {
    expect(constantColumns({ dataset_name: ['rye'] }, facets)).toEqual([
      { column: 'dataset_name', value: 'rye' },
      { column: 'metric', value: 'rmse' },
    ])
  })

  it('a filter on several of which one is met leaves one; a list cut short proves nothing', () => {
    expect(constantColumns({ partition: ['val', 'train'] }, facets)).toContainEqual({ column: 'partition', value: 'val' })
    expect(constantColumns({ run_id: ['a', 'zz'] }, facets).map(({ column }) => column)).not.toContain('run_id')
  })

  it('never leave a table without columns', () => {
    const constant = constantColumns({}, facets)
    expect(withoutConstant(['metric', 'partition'], constant)).toEqual(['partition'])
    expect(withoutConstant(['metric'], constant)).toEqual(['metric'])
  })
})
