import { useRouter } from '@tanstack/react-router'
import { useCallback, useEffect, useState } from 'react'
import type { Cell } from '../../table/grid-keyboard.ts'
import { inRange, type RowRange } from '../../table/row-range.ts'
import type { PredictionSearch } from './search.ts'
import type { PredictionRows } from './use-prediction-rows.ts'

/** A row to open that is not here yet, or that the address does not show yet. */
interface WantedRow {
  readonly row: number
  readonly replace: boolean
  readonly isSent: boolean
}

/** The row that is about to be open beside the table, until it is or is not wanted any more. */
export const useWantedRow = (search: PredictionSearch, cursor: Cell, onRows: PredictionRows['onVisible']) => {
  const [wanted, setWanted] = useState<WantedRow>()
  if (wanted !== undefined && isOver(wanted, search, cursor)) setWanted(undefined)
  const { history } = useRouter()
  useEffect(
    () =>
      history.subscribe(({ action }) => {
        // Back and forward say themselves what is to be open.
        if (action.type !== 'PUSH' && action.type !== 'REPLACE') setWanted(undefined)
      }),
    [history],
  )
  const onVisible = useCallback(
    (range: RowRange): void => {
      onRows(range)
      // A row that is scrolled away is not asked for any more.
      setWanted((before) => (before !== undefined && inRange(range, before.row) ? before : undefined))
    },
    [onRows],
  )
  return { wanted, setWanted, onVisible }
}

export const useOpenWhenThere = (
  wanted: WantedRow | undefined,
  rowAt: PredictionRows['rowAt'],
  open: (row: number, replace: boolean) => void,
): void => {
  useEffect(() => {
    if (wanted?.isSent === false && rowAt(wanted.row) !== undefined) open(wanted.row, wanted.replace)
  })
}

/** It is open, or the cursor has left it, or the panel that was to follow is closed. */
const isOver = ({ row, replace, isSent }: WantedRow, { peek, at }: PredictionSearch, cursor: Cell): boolean =>
  row !== cursor.row || (isSent && at === row + 1) || (replace && peek === undefined)
