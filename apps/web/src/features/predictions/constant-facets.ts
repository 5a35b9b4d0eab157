import type { FacetColumn, Facets, PredictionColumn } from '@nirs-workspace/types'
import { equalityColumns } from './columns.ts'
import type { PredictionSearch } from './search.ts'

export interface ConstantColumn {
  readonly column: FacetColumn
  readonly value: string
}

/**
 * Columns that hold one value in all rows under the filters. Each facet ignores its own filter, so a column filtered to one value is
 * constant by that; columns without a facet (scores, ids, dates) are taken to differ.
 */
export const constantColumns = (search: PredictionSearch, facets: Facets | undefined): readonly ConstantColumn[] =>
  equalityColumns.flatMap((column) => {
    const value = onlyValue(search[column], facets?.facets[column])
    return value === undefined ? [] : [{ column, value }]
  })

type Facet = NonNullable<Facets['facets'][FacetColumn]>

const onlyValue = (chosen: readonly string[] | undefined, facet: Facet | undefined): string | undefined => {
  const values = facet?.values.map(({ value }) => value ?? '')
  if (chosen === undefined) return facet?.distinct === 1 ? values?.[0] : undefined
  // A list cut short may lack a value that is there.
  if (chosen.length > 1 && (facet === undefined || facet.values.length < facet.distinct)) return undefined
  const met = chosen.length === 1 ? chosen : chosen.filter((value) => values?.includes(value))
  return met.length === 1 ? met[0] : undefined
}

export const withoutConstant = (shown: readonly PredictionColumn[], constant: readonly ConstantColumn[]): readonly PredictionColumn[] => {
  const rest = shown.filter((column) => !constant.some((each) => each.column === column))
  return rest.length === 0 ? shown : rest
}
