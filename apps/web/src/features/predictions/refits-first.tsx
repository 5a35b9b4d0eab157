import type { PredictionRow } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { facetsQuery } from '../../api/queries.ts'
import { useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import type { Change } from './change.ts'
import { isRefitPlaceholder, isTestPlaceholder } from './placeholder.ts'
import { filterParams, type PredictionSearch, sortOf, withFacet } from './search.ts'

interface RefitsProps {
  readonly workspace: string
  readonly search: PredictionSearch
  readonly first: PredictionRow | undefined
  readonly change: Change
}

/** Sorted by validation score, the zeros of refits stand before the best model; one click takes them away. */
export const RefitsFirst = ({ workspace, search, first, change }: RefitsProps) => {
  const { predictions } = useText()
  const sorted = sortOf(search)[0]?.column === 'val_score' && search.fold_kind === undefined
  const shown = sorted && first !== undefined && isRefitPlaceholder(first)
  const { data } = useQuery({ ...facetsQuery(workspace, filterParams(search)), enabled: shown })
  const kinds = data?.facets.fold_kind?.values.flatMap(({ value }) => (value === null || value === 'refit' ? [] : value)) ?? []
  if (!shown || kinds.length === 0) return null
  return (
    <div className="border-b border-line">
      <Notice
        flat
        tone="info"
        actions={<Button onClick={() => change((before) => withFacet(before, 'fold_kind', kinds))}>{predictions.withoutRefits}</Button>}
      >
        {predictions.refitsFirst}
      </Notice>
    </div>
  )
}

/** Sorted by test score, the zeros that may stand for no test samples stand before the best model; one click leaves only what was tested, unless partitions are chosen already. */
export const UntestedFirst = ({ workspace, search, first, change }: RefitsProps) => {
  const { predictions } = useText()
  const sorted = sortOf(search)[0]?.column === 'test_score'
  const shown = sorted && first !== undefined && isTestPlaceholder(first)
  const isFree = search.partition === undefined
  const { data } = useQuery({ ...facetsQuery(workspace, filterParams(search)), enabled: shown && isFree })
  const isTested = isFree && data?.facets.partition?.values.some(({ value }) => value === 'test') === true
  if (!shown) return null
  return (
    <div className="border-b border-line">
      <Notice
        flat
        tone="info"
        actions={
          isTested ? (
            <Button onClick={() => change((before) => withFacet(before, 'partition', ['test']))}>{predictions.onlyTested}</Button>
          ) : undefined
        }
      >
        {predictions.untestedFirst}
      </Notice>
    </div>
  )
}
