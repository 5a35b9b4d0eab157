import type { PredictionPage, PredictionRow } from '@nirs-workspace/types'
import { spellingsByMetric } from '@nirs-workspace/types/metric'
import { type QueryClient, useQueries, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { QueryParams } from '../../api/client.ts'
import { blockSize, predictionBlockQuery } from '../../api/queries.ts'
import type { LoadedRow } from '../../table/grid-row.tsx'
import { blocksOf, type RowRange } from '../../table/row-range.ts'

export interface PredictionRows {
  readonly rowAt: (index: number) => LoadedRow<PredictionRow> | undefined
  /** Whether some of these rows are on their way. */
  readonly isReading: (range: RowRange) => boolean
  /** Exact number of rows under the filters; the last known one while a new one is on its way, undefined before the first answer. */
  readonly total: number | undefined
  /** Each metric once, however many spellings it has. */
  readonly metrics: readonly string[]
  readonly error: Error | null
  /** An attempt has failed; while others go on, `error` is null still. */
  readonly failing: boolean
  /** No row of the current question is here yet. */
  readonly pending: boolean
  readonly fetching: boolean
  readonly retry: () => void
  readonly onVisible: (range: RowRange) => void
}

/**
 * Rows of the big table by number, read at once when they are here and fetched in blocks around the visible range when they are not.
 * Blocks that leave the screen before they arrive are aborted; while a new question loads, the rows of the last one stay, marked as former.
 */
export const usePredictionRows = (workspace: string, params: QueryParams): PredictionRows => {
  const client = useQueryClient()
  const [range, onVisible] = useSettledRange()
  const last = useRef<{ params: QueryParams; page: PredictionPage } | undefined>(undefined)

  const blocks = blocksOf(range, blockSize, last.current?.page.total)
  const results = useQueries({ queries: blocks.map((block) => predictionBlockQuery(workspace, params, block)) })
  const fresh = results.map((result) => result.data).find((page) => page !== undefined)
  const previous = last.current
  // A block that was loaded before the workspace changed knows the number of rows of then.
  const newest = results.find((result) => !result.isStale)?.data ?? (previous?.params === params ? previous.page : fresh)
  useEffect(() => {
    if (fresh !== undefined && newest !== undefined) last.current = { params, page: newest }
  })

  const rowAt = useCallback(
    (index: number): LoadedRow<PredictionRow> | undefined => {
      const found = cachedRow(client, workspace, params, index)
      if (found !== undefined) return found
      const old = previous === undefined || fresh !== undefined ? undefined : cachedRow(client, workspace, previous.params, index)
      return old && { ...old, stale: true, former: true }
    },
    [client, workspace, params, previous, fresh],
  )

  const isReading = (of: RowRange): boolean =>
    blocksOf(of, blockSize, undefined).some(
      (block) => client.getQueryState(predictionBlockQuery(workspace, params, block).queryKey)?.fetchStatus === 'fetching',
    )

  const page = newest ?? previous?.page
  return {
    rowAt,
    isReading,
    total: page?.total,
    metrics: spellingsByMetric(page?.metrics ?? []).flatMap(([name]) => name ?? []),
    error: results.find((result) => result.isError)?.error ?? null,
    failing: results.some((result) => result.failureCount > 0),
    pending: fresh === undefined,
    fetching: results.some((result) => result.isFetching),
    retry: () => void Promise.all(results.filter((result) => result.isError).map((result) => result.refetch())),
    onVisible,
  }
}

/** How many rows there are, as far as anybody knows: the number of the last question stands only while the answer to this one is under way. */
export const totalOf = ({ total, pending, failing, error }: PredictionRows) => ({
  total: pending && failing ? undefined : total,
  failed: pending && error !== null,
  refreshing: pending && error === null && total !== undefined,
})

/**
 * Row from the query cache, stale where the workspace has changed since; undefined when its block is not here, which is not the same as
 * a row of nulls.
 */
const cachedRow = (client: QueryClient, workspace: string, params: QueryParams, index: number): LoadedRow<PredictionRow> | undefined => {
  const block = Math.floor(index / blockSize)
  const state = client.getQueryState(predictionBlockQuery(workspace, params, block).queryKey)
  const row = state?.data?.rows[index - block * blockSize]
  return row && { row, stale: state?.isInvalidated === true, former: false }
}

/** Milliseconds between questions while the thumb is dragged; the first and the last place are always asked for. */
const dragPause = 80

const useSettledRange = (): readonly [RowRange, (range: RowRange) => void] => {
  const [range, setRange] = useState<RowRange>({ first: 0, last: blockSize / 4 })
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const lastCall = useRef(0)
  useEffect(() => () => clearTimeout(timer.current), [])
  const onVisible = useCallback((next: RowRange) => {
    clearTimeout(timer.current)
    const quiet = performance.now() - lastCall.current > dragPause
    lastCall.current = performance.now()
    if (quiet) setRange(next)
    else timer.current = setTimeout(() => setRange(next), dragPause)
  }, [])
  return [range, onVisible]
}
