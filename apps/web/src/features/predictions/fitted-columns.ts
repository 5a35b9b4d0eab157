import type { PredictionColumn } from '@nirs-workspace/types'
import { columnById, type GridColumn, isFacet } from './columns.ts'
import { type PredictionSearch, sortOf } from './search.ts'

/** How much of the table can be seen at once: beside an open row it is tight, on a telephone narrow. */
export type Room = 'wide' | 'tight' | 'narrow'

/** From the width of the table in pixels. */
export const roomOf = (width: number): Room => (width < 520 ? 'narrow' : width < 800 ? 'tight' : 'wide')

/**
 * The standard columns with those in view that tell rows apart: a column that the filters fix to one value gives way, and the score that
 * matters comes forward. Columns that somebody has chosen stay as they were chosen.
 */
export const fittedColumns = (search: PredictionSearch, shown: readonly PredictionColumn[], room: Room): readonly PredictionColumn[] => {
  if (room === 'wide' || search.cols !== undefined || search.pin !== undefined) return shown
  const free = shown.filter((column) => !isFixed(search, column))
  const sorted = sortOf(search)[0]?.column
  const leading = [...new Set([sorted, 'val_score' as const])].filter((column) => column !== undefined && free.includes(column))
  const before = room === 'narrow' ? 1 : free.findIndex((column) => columnById.get(column)?.kind === 'score')
  const first = free.slice(0, before).filter((column) => room === 'tight' || !leading.includes(column))
  return [...new Set([...first, ...leading, ...free])].filter((column) => column !== undefined)
}

const isFixed = (search: PredictionSearch, column: PredictionColumn): boolean => isFacet(column) && search[column]?.length === 1

const tightWidths: Partial<Record<PredictionColumn, number>> = {
  dataset_name: 112,
  model_name: 112,
  preprocessings: 112,
  partition: 78,
  fold_id: 92,
}

export const fittedColumn = (column: GridColumn, room: Room): GridColumn => {
  const width = room === 'wide' ? undefined : tightWidths[column.id]
  return width === undefined ? column : { ...column, width }
}
