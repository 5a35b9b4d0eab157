import type { PredictionColumn } from '@nirs-workspace/types'
import { withoutUndefined } from '../../lib/url-search.ts'
import { columnById, gridColumns, isPredictionColumn } from './columns.ts'
import type { PredictionSearch } from './search.ts'

const defaultColumns = gridColumns.filter((column) => column.shown).map((column) => column.id)

const named = (list: string | undefined): PredictionColumn[] => [...new Set((list ?? '').split(',').filter(isPredictionColumn))]

/** The chosen columns in their order, pinned ones first. */
export const shownColumns = (search: PredictionSearch): readonly PredictionColumn[] => {
  const chosen = named(search.cols)
  const columns = chosen.length === 0 ? defaultColumns : chosen
  const pinned = pinnedColumns(search)
  return [...pinned, ...columns.filter((column) => !pinned.includes(column))]
}

/** The columns that stay at the left; at least one column can move under them. */
export const pinnedColumns = (search: PredictionSearch): readonly PredictionColumn[] => {
  const chosen = named(search.cols)
  const columns = chosen.length === 0 ? defaultColumns : chosen
  return named(search.pin).filter((column) => columns.includes(column))
}

/** Pins a column behind those that are pinned, or lets it go to where the others begin. */
export const withPinToggled = (search: PredictionSearch, column: PredictionColumn): PredictionSearch => {
  const pinned = pinnedColumns(search)
  const shown = shownColumns(search)
  const next = pinned.includes(column) ? pinned.filter((other) => other !== column) : [...pinned, column]
  const { pin: _, ...rest } = withColumns(search, [...next, ...shown.filter((other) => !next.includes(other))])
  return next.length === 0 ? rest : { ...rest, pin: next.join(',') }
}

/** Moves a column by so many places, within the pinned ones or within the others. */
export const withColumnMoved = (search: PredictionSearch, column: PredictionColumn, step: number): PredictionSearch => {
  const shown = shownColumns(search)
  return withColumnAt(search, column, shown[shown.indexOf(column) + step])
}

/** The columns as the table has them that is seen, and behind them what it leaves out. */
export const inSeenOrder = (search: PredictionSearch, seen: readonly PredictionColumn[]): PredictionSearch =>
  withColumns(search, [...seen, ...shownColumns(search).filter((column) => !seen.includes(column))])

/** Puts a column into the place of another; the two must be on the same side of the pin. */
export const withColumnAt = (search: PredictionSearch, column: PredictionColumn, at: PredictionColumn | undefined): PredictionSearch => {
  const pinned = pinnedColumns(search)
  const shown = shownColumns(search)
  if (at === undefined || at === column || pinned.includes(column) !== pinned.includes(at)) return search
  const others = shown.filter((other) => other !== column)
  const place = shown.indexOf(at)
  const order = [...others.slice(0, place), column, ...others.slice(place)]
  const moved = withColumns(search, order)
  return pinned.length === 0 ? moved : { ...moved, pin: order.slice(0, pinned.length).join(',') }
}

/** Shows a column where the standard order has it, or hides it; one stays. */
export const withColumnToggled = (search: PredictionSearch, column: PredictionColumn): PredictionSearch => {
  const shown = shownColumns(search)
  if (!shown.includes(column)) return withColumns(search, inserted(shown, column))
  return shown.length === 1
    ? search
    : withColumns(
        search,
        shown.filter((other) => other !== column),
      )
}

/** Before the first shown column that the standard order has later. */
const inserted = (shown: readonly PredictionColumn[], column: PredictionColumn): PredictionColumn[] => {
  const standard = gridColumns.map(({ id }) => id)
  const place = shown.findIndex((other) => standard.indexOf(other) > standard.indexOf(column))
  return place < 0 ? [...shown, column] : [...shown.slice(0, place), column, ...shown.slice(place)]
}

/** Everything that says how columns look, without the filters. */
export const columnChoice = ({ cols, pin, differ, widths }: PredictionSearch): PredictionSearch =>
  withoutUndefined({ cols, pin, differ, widths })

export const withStandardColumns = ({ cols: _, pin: __, differ: ___, widths: ____, ...rest }: PredictionSearch): PredictionSearch => rest

export const withColumns = ({ cols: _, ...rest }: PredictionSearch, columns: readonly PredictionColumn[]): PredictionSearch => {
  const same = columns.length === defaultColumns.length && columns.every((column, index) => column === defaultColumns[index])
  return same || columns.length === 0 ? rest : { ...rest, cols: columns.join(',') }
}

const widthLimits = { min: 56, max: 800 }

export const widthsOf = (search: PredictionSearch): Record<string, number> => {
  const widths: Record<string, number> = {}
  for (const part of (search.widths ?? '').split(',')) {
    const [name = '', text = ''] = part.split('.')
    const width = Number(text)
    if (isPredictionColumn(name) && Number.isInteger(width) && width >= widthLimits.min && width <= widthLimits.max) widths[name] = width
  }
  return widths
}

export const withWidths = ({ widths: _, ...rest }: PredictionSearch, widths: Readonly<Record<string, number>>): PredictionSearch => {
  const changed = Object.entries(widths)
    .map(([name, width]) => [name, Math.round(Math.min(widthLimits.max, Math.max(widthLimits.min, width)))] as const)
    .filter(([name, width]) => isPredictionColumn(name) && columnById.get(name)?.width !== width)
  return changed.length === 0 ? rest : { ...rest, widths: changed.map(([name, width]) => `${name}.${width}`).join(',') }
}
