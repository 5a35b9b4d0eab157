import type { PredictionColumn, PredictionRow } from '@nirs-workspace/types'
import { metricDirection } from '@nirs-workspace/types/metric'
import { columnResizingFeature, columnSizingFeature, tableFeatures, useTable } from '@tanstack/react-table'
import { useEffect, useMemo, useRef } from 'react'
import type { HeaderView } from '../../table/grid-header.tsx'
import type { ColumnView } from '../../table/grid-row.tsx'
import type { Text } from '../../text/en.ts'
import { metricName } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { DirectionBadge } from '../../ui/direction-badge.tsx'
import { alignsRight, columnViews } from './cells.tsx'
import { pinnedColumns, widthsOf } from './column-choice.ts'
import { columnById, type GridColumn, isScoreColumn, scorePartition } from './columns.ts'
import { fittedColumn, type Room } from './fitted-columns.ts'
import { type PredictionSearch, sortOf } from './search.ts'

const features = tableFeatures({ columnSizingFeature, columnResizingFeature })
/** Rows live on the server; the table model looks after columns only. */
const noRows: PredictionRow[] = []

interface GridColumns {
  readonly headers: readonly HeaderView[]
  readonly views: readonly ColumnView<PredictionRow>[]
}

/** Headers and cells of the shown columns, with widths that follow the mouse and end up in the address. */
export const useGridColumns = (
  search: PredictionSearch,
  visible: readonly PredictionColumn[],
  room: Room,
  metrics: readonly string[],
  crossValidated: boolean,
  onWidths: (widths: Readonly<Record<string, number>>) => void,
): GridColumns => {
  const text = useText()
  const format = useFormat()
  const shownKey = visible.join()
  const pinned = pinnedColumns(search)
  const shown = useMemo(() => columnsOf(shownKey, room), [shownKey, room])
  const columns = useMemo(() => shown.map((column) => ({ id: column.id, size: column.width, minSize: 56, maxSize: 800 })), [shown])
  const table = useTable({
    features,
    columns,
    data: noRows,
    columnResizeMode: 'onChange',
    initialState: { columnSizing: widthsOf(search) },
  })
  const sizing = table.state.columnSizing
  const resizing = table.state.columnResizing.isResizingColumn

  const committed = useRef(sizing)
  useEffect(() => {
    if (resizing !== false || committed.current === sizing) return
    committed.current = sizing
    onWidths(sizing)
  }, [resizing, sizing, onWidths])

  // Back and forward change the address without the mouse.
  const { setColumnSizing } = table
  useEffect(() => {
    committed.current = widthsOf({ widths: search.widths ?? '' })
    setColumnSizing(committed.current)
  }, [search.widths, setColumnSizing])

  const pinKey = pinned.join()
  const views = useMemo(() => columnViews(shown, pinKey.split(','), sizing, text, format), [shown, pinKey, sizing, text, format])
  const sort = sortOf(search)
  const headers = table.getFlatHeaders().flatMap((header): HeaderView[] => {
    const column = shown.find(({ id }) => id === header.id)
    if (column === undefined) return []
    const place = sort.findIndex((key) => key.column === column.id)
    return [
      {
        id: column.id,
        width: sizing[column.id] ?? column.width,
        pinnedAt: views.find((view) => view.id === column.id)?.pinnedAt,
        right: alignsRight(column),
        label: headerLabel(column, metrics, crossValidated, text),
        hint: headerHint(column, metrics, text),
        badge: isScoreColumn(column.id) && metrics.length === 1 ? directionBadge(metrics[0] ?? '', text) : null,
        sort: sort[place]?.direction,
        sortPlace: sort.length > 1 && place >= 0 ? place + 1 : undefined,
        startResize: header.getResizeHandler(),
      },
    ]
  })
  return { headers, views }
}

/** Nothing when metrics are mixed. */
const directionBadge = (metric: string, text: Text) => {
  const direction = metricDirection(metric)
  return <DirectionBadge direction={direction} title={`${metricName(text, metric)}: ${text.metric[direction]}`} />
}

const headerHint = (column: GridColumn, metrics: readonly string[], text: Text): string => {
  const hint = text.columnHints[column.id]
  return isScoreColumn(column.id) && metrics.length === 1 ? `${metricName(text, metrics[0] ?? '')}: ${hint}` : hint
}

const columnsOf = (key: string, room: Room): GridColumn[] =>
  key
    .split(',')
    .map((id) => columnById.get(id))
    .filter((column) => column !== undefined)
    .map((column) => fittedColumn(column, room))

/** With RMSE alone in view, a score column is called as the field calls it: RMSEC, RMSECV (where it is that of all rows) or RMSEP. */
const headerLabel = (column: GridColumn, metrics: readonly string[], crossValidated: boolean, text: Text): string => {
  const label = text.columns[column.id]
  const [metric] = metrics
  if (!isScoreColumn(column.id) || metric === undefined || metrics.length > 1) return label
  if (column.id === 'val_score' && !crossValidated) return label
  const name = metricName(text, metric, scorePartition[column.id])
  return name === metricName(text, metric) ? label : name
}
