import type { PredictionRow } from '@nirs-workspace/types'
import { metricDirection } from '@nirs-workspace/types/metric'
import type { WireNumber } from '@nirs-workspace/types/number'
import type { ReactNode } from 'react'
import type { Formatters } from '../../lib/format.ts'
import type { ColumnView } from '../../table/grid-row.tsx'
import type { Text } from '../../text/en.ts'
import { metricName } from '../../text/metric-name.ts'
import { datasetLabel, valueLabel } from '../../text/value-label.ts'
import { Badge } from '../../ui/badge.tsx'
import { PartitionMark } from '../../ui/partition-mark.tsx'
import { columnById, type GridColumn, isFacet } from './columns.ts'
import { placeholderHint } from './placeholder.ts'

const rightKinds = new Set(['score', 'int', 'percent'])
export const alignsRight = (column: GridColumn): boolean => rightKinds.has(column.kind)

/** How each column draws its values. Built once per choice of columns, so that rows can be memoised. */
export const columnViews = (
  shown: readonly GridColumn[],
  pinned: readonly string[],
  widths: Readonly<Record<string, number>>,
  text: Text,
  format: Formatters,
): ColumnView<PredictionRow>[] => {
  const widthOf = (column: GridColumn): number => widths[column.id] ?? column.width
  return shown.map((column, place) => ({
    id: column.id,
    width: widthOf(column),
    pinnedAt: pinned.includes(column.id) ? shown.slice(0, place).reduce((sum, before) => sum + widthOf(before), 0) : undefined,
    right: alignsRight(column),
    cell: (row) => drawCell(column, row, text, format),
    title: (row) => cellTitle(column, row, text, format),
  }))
}

const drawCell = (column: GridColumn, row: PredictionRow, text: Text, format: Formatters): ReactNode => {
  const value = row[column.id]
  if (value === null) return <Nothing text={text} />
  if (hidesUnreadable(column.id, row)) return <span className="text-warning">{text.common.unreadable}</span>
  switch (column.kind) {
    case 'score':
      return <Score value={value as WireNumber} format={format} muted={placeholderHint(column.id, row, text) !== undefined} />
    case 'int':
      return format.int(Number(value))
    case 'percent':
      return format.percent(Number(value))
    case 'flag':
      return value === true ? text.common.yes : <span className="text-muted">{text.common.no}</span>
    case 'date':
      return <span className="text-muted">{format.dateTime(String(value))}</span>
    case 'partition':
      return <Partition name={String(value)} />
    case 'fold':
      return <Fold row={row} text={text} />
    case 'named':
      return <span className="truncate">{isFacet(column.id) ? valueLabel(column.id, String(value), text) : String(value)}</span>
    case 'code':
      return <span className="truncate font-mono text-xs">{String(value)}</span>
    case 'text':
      if (value === '' && column.id !== 'dataset_name') return <span className="text-muted">{text.common.none}</span>
      return <span className="truncate">{nameIn(column, String(value), text)}</span>
  }
}

/** Arrays that are stored, as far as anybody knows, in a file that cannot be read: neither there nor none. */
const hidesUnreadable = (column: string, row: PredictionRow): boolean => column === 'has_arrays' && row.arrays_state === 'unreadable'

const Score = ({ value, format, muted }: { value: WireNumber; format: Formatters; muted: boolean }) => (
  <span className={muted ? 'text-muted line-through' : typeof value === 'number' ? undefined : 'text-warning'}>{format.score(value)}</span>
)

/** A value that the store does not have: a dash, unlike the grey bar of what is not loaded yet. */
const Nothing = ({ text }: { text: Text }) => (
  <span className="text-muted">
    <span aria-hidden>–</span>
    <span className="sr-only">{text.common.noValue}</span>
  </span>
)

const Partition = ({ name }: { name: string }) => (
  <span className="flex items-center gap-1.5">
    <PartitionMark partition={name} />
    {name}
  </span>
)

/** Averages say so by their id; a refit is marked, since its scores must not be taken for cross-validation. */
const Fold = ({ row, text }: { row: PredictionRow; text: Text }) => (
  <span className="flex min-w-0 items-center gap-1.5">
    <span className={row.fold_kind === 'fold' ? undefined : 'text-muted'}>{row.fold_id === '' ? text.foldKinds.single : row.fold_id}</span>
    {row.fold_kind === 'refit' ? <Badge tone="accent">{text.foldKinds.refit}</Badge> : null}
  </span>
)

const cellTitle = (column: GridColumn, row: PredictionRow, text: Text, format: Formatters): string | undefined => {
  const value = row[column.id]
  if (value === null) return text.common.noValue
  if (hidesUnreadable(column.id, row)) return text.predictions.unreadableArrays
  const hint = placeholderHint(column.id, row, text)
  if (hint !== undefined) return hint
  if (column.kind === 'score')
    return `${metricName(text, row.metric)} ${format.exact(value as WireNumber)} (${text.metric[metricDirection(row.metric)]})`
  return value === '' ? undefined : nameIn(column, String(value), text)
}

const nameIn = (column: GridColumn, name: string, text: Text): string => (column.id === 'dataset_name' ? datasetLabel(name, text) : name)

/** Plain text of a cell, for copying; numbers in full. */
export const plainCell = (id: string, row: PredictionRow): string => {
  const column = columnById.get(id)
  if (hidesUnreadable(id, row)) return row.arrays_state
  const value = column === undefined ? null : row[column.id]
  return value === null ? '' : String(value).replaceAll(/[\t\r\n]+/g, ' ')
}
