import { getRouteApi } from '@tanstack/react-router'
import { type RefObject, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { blockSize } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { rowHeights, useDensity } from '../../stores/density.ts'
import { rememberColumns } from '../../stores/last-columns.ts'
import { showToast } from '../../stores/toast.ts'
import { type Cell, withinRows } from '../../table/grid-keyboard.ts'
import { keepColumn } from '../../table/keep-column.ts'
import { clipped, type RowRange } from '../../table/row-range.ts'
import { VirtualGrid } from '../../table/virtual-grid.tsx'
import type { Text } from '../../text/en.ts'
import { useText } from '../../text/text.tsx'
import { NotUnderstood } from '../../ui/not-understood.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import type { Change } from './change.ts'
import { columnChoice, inSeenOrder, shownColumns, widthsOf, withColumnAt, withWidths } from './column-choice.ts'
import { columnById, isPredictionColumn } from './columns.ts'
import { ConstantColumns, useConstantColumns } from './constant-columns.tsx'
import { withoutConstant } from './constant-facets.ts'
import { copyRows } from './copy-rows.ts'
import { FacetPanel } from './facet-panel.tsx'
import { FilterChips } from './filter-chips.tsx'
import { fittedColumns } from './fitted-columns.ts'
import { MixedMetrics } from './mixed-metrics.tsx'
import { NoRows } from './no-rows.tsx'
import { Peek, preloadPeek } from './peek.tsx'
import { RefitsFirst, UntestedFirst } from './refits-first.tsx'
import { type PredictionSearch, pageParams, toggleSort } from './search.ts'
import { filterButton, Toolbar } from './toolbar.tsx'
import { useCrossValidated } from './use-cross-validated.ts'
import { useGridColumns } from './use-grid-columns.tsx'
import { type PredictionRows, totalOf, usePredictionRows } from './use-prediction-rows.ts'
import { useRoom } from './use-room.ts'
import { useOpenWhenThere, useWantedRow } from './use-wanted-row.ts'

const route = getRouteApi('/predictions')

export const PredictionsPage = () => {
  const text = useText()
  const workspace = useWorkspace()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [density] = useDensity()
  const [selected, setSelection] = useState<RowRange>()
  const [panel, setPanel] = useState(() => matchMedia('(min-width: 1000px)').matches)
  // A row is open and nobody knows yet where it stands: the cursor waits in the header.
  const [isWaiting, setWaiting] = useState(search.peek !== undefined && search.at === undefined)
  const [cursor, setCursor] = useState<Cell>({ row: isWaiting ? -1 : (search.at ?? 1) - 1, column: 0 })

  const change = useCallback(
    (next: (before: PredictionSearch) => PredictionSearch, replace = false): void => {
      void navigate({ search: next, replace })
    },
    [navigate],
  )
  const paramsKey = JSON.stringify(pageParams(search))
  // The key says when filters or sort change; the rest of the address does not concern the rows.
  const params = useMemo(() => pageParams(search), [paramsKey])
  const rows = usePredictionRows(workspace.id, params)
  const { wanted, setWanted, onVisible } = useWantedRow(search, cursor, rows.onVisible)
  const [shownParams, setShownParams] = useState(paramsKey)
  if (shownParams !== paramsKey) {
    // Other rows or another order: start at the top. A cursor in the header stays there, so that keys can sort on.
    setShownParams(paramsKey)
    setSelection(undefined)
    setWanted(undefined)
    setCursor((before) => ({ ...before, row: Math.min(before.row, 0) }))
  }
  const changeColumns: Change = useCallback(
    (next) =>
      change((before) => {
        const changed = next(before)
        rememberColumns({ ...columnChoice(changed) })
        return changed
      }, true),
    [change],
  )
  const onWidths = useCallback(
    (widths: Readonly<Record<string, number>>) => changeColumns((before) => withWidths(before, widths)),
    [changeColumns],
  )
  const constant = useConstantColumns(workspace.id, search)
  const place = useRef<HTMLDivElement>(null)
  const room = useRoom(place)
  const shown = withoutConstant(shownColumns(search), constant)
  const displayed = fittedColumns(search, shown, room)
  const crossValidated = useCrossValidated(workspace.id, search, rows.metrics)
  const { headers, views } = useGridColumns(search, displayed, room, rows.metrics, crossValidated, onWidths)
  const [cursorColumns, setCursorColumns] = useState(displayed)
  if (cursorColumns.join() !== displayed.join()) {
    setCursorColumns(displayed)
    setCursor((before) => keepColumn(before, cursorColumns, displayed))
  }

  const total = rows.total ?? 0
  const selection = clipped(selected, total)
  keepWithin(total, cursor, setCursor)

  const openRow = (row: number, replace: boolean): void => {
    const found = rows.rowAt(row)
    preloadPeek()
    setWanted({ row, replace, isSent: found !== undefined })
    if (found !== undefined) change((before) => ({ ...before, peek: found.row.prediction_id, at: row + 1 }), replace)
  }
  const moveCursor = (cell: Cell): void => {
    setCursor(cell)
    setWanted(undefined)
    if (search.peek !== undefined && cell.row >= 0) openRow(cell.row, true)
  }
  useOpenWhenThere(wanted, rows.rowAt, openRow)
  const sort = (column: string, add: boolean): void => {
    if (isPredictionColumn(column)) change((before) => toggleSort(before, column, add))
  }
  const resize = (column: string, width: number): void => {
    if (columnById.has(column)) changeColumns((before) => withWidths(before, { ...widthsOf(before), [column]: width }))
  }
  const moveColumn = (column: string, to: string): void => {
    if (column === to || !isPredictionColumn(column) || !isPredictionColumn(to)) return
    changeColumns((before) => withColumnAt(displayed === shown ? before : inSeenOrder(before, displayed), column, to))
  }
  const copy = async (): Promise<void> => {
    const range = selection ?? { first: cursor.row, last: cursor.row }
    const copied = await copyRows(range, displayed, (id) => text.columns[id], rows.rowAt)
    tellCopied(copied, rows.isReading(range), text)
  }
  const close = (): void => {
    setWanted(undefined)
    change(({ peek: _, tab: __, at: ___, ...rest }) => rest)
  }
  const closeFilters = (): void => {
    setPanel(false)
    document.getElementById(filterButton)?.focus()
  }
  useFocusBack(place, search.peek !== undefined)
  const openIndex = placeOf(search, rows.rowAt)
  const peeked = openIndex === undefined ? undefined : rows.rowAt(openIndex)?.row
  if (isWaiting && openIndex !== undefined) {
    setWaiting(false)
    setCursor((before) => ({ ...before, row: openIndex }))
  }

  return (
    // Panels that cover the page where it is narrow leave the notices above it and the navigation uncovered.
    <div className="relative flex h-full min-h-0 flex-col">
      <h1 className="sr-only">{text.predictions.title}</h1>
      <Toolbar
        search={search}
        change={change}
        changeColumns={changeColumns}
        {...totalOf(rows)}
        cursorRow={cursor.row}
        hint={search.peek === undefined}
        selection={selection}
        onCopy={() => void copy()}
        panel={panel}
        onPanel={setPanel}
      />
      <NotUnderstood flat ignored={search.ignored} onClose={() => change(({ ignored: _, ...rest }) => rest, true)} />
      <FilterChips search={search} change={change} />
      <ConstantColumns constant={constant} />
      <MixedMetrics metrics={rows.metrics} />
      <RefitsFirst workspace={workspace.id} search={search} first={rows.rowAt(0)?.row} change={change} />
      <UntestedFirst workspace={workspace.id} search={search} first={rows.rowAt(0)?.row} change={change} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Esc closes the panel from anywhere in here */}
      <div
        className="flex min-h-0 flex-1"
        onKeyDown={(event) => {
          if (event.key === 'Escape' && search.peek !== undefined) close()
        }}
      >
        {panel ? <FacetPanel workspace={workspace.id} search={search} change={change} onClose={closeFilters} /> : null}
        <div ref={place} className="min-w-0 flex-1">
          {rows.error !== null && rows.pending ? (
            <ErrorMessage error={rows.error} onRetry={rows.retry} />
          ) : rows.total === undefined ? (
            <FirstRows />
          ) : total === 0 ? (
            <NoRows search={search} change={change} />
          ) : (
            <VirtualGrid
              label={text.predictions.gridLabel}
              headers={headers}
              columns={views}
              total={total}
              rowHeight={rowHeights[density]}
              busy={rows.pending}
              topKey={paramsKey}
              rowAt={rows.rowAt}
              onVisible={onVisible}
              cursor={cursor}
              onCursor={moveCursor}
              selection={selection}
              onSelect={setSelection}
              openRow={openIndex}
              onOpen={(row) => openRow(row, search.peek !== undefined)}
              onSort={sort}
              onResize={resize}
              onMoveColumn={moveColumn}
              onCopy={() => void copy()}
            />
          )}
        </div>
        {search.peek === undefined ? null : (
          <Peek
            id={search.peek}
            arraysState={peeked?.prediction_id === search.peek ? peeked.arrays_state : undefined}
            tab={search.tab}
            onTab={(tab) => change((before) => ({ ...before, tab }), true)}
            onJump={(id) => {
              setWanted(undefined)
              change(({ at: _, ...before }) => ({ ...before, peek: id }))
            }}
            onStep={(step) => moveCursor(stepped(cursor, wanted?.row ?? openIndex, step, total))}
            onClose={close}
          />
        )}
      </div>
    </div>
  )
}

const tellCopied = (copied: Awaited<ReturnType<typeof copyRows>>, isReading: boolean, { common, predictions }: Text): void => {
  if (copied === undefined) showToast('danger', common.notCopied)
  else if (copied.rows === 0) showToast('info', isReading ? predictions.copiedNone : predictions.copiedFar)
  else showToast('success', copied.complete ? predictions.copiedRows(copied.rows) : predictions.copyPartly(copied.rows))
}

/** The row that is open beside the table: where the address says, or among the first; undefined when it may be anywhere. */
const placeOf = ({ peek, at }: PredictionSearch, rowAt: PredictionRows['rowAt']): number | undefined => {
  if (peek === undefined) return undefined
  const isThere = (index: number): boolean => rowAt(index)?.row.prediction_id === peek
  if (at !== undefined && (isThere(at - 1) || rowAt(at - 1) === undefined)) return at - 1
  const first = Array.from({ length: blockSize }, (_, index) => index).findIndex(isThere)
  return first === -1 ? undefined : first
}

const keepWithin = (total: number, cursor: Cell, set: (cell: Cell) => void): void => {
  const within = withinRows(cursor, total)
  if (within !== cursor) set(within)
}

/** From the row that is open or about to be on; from the cursor where nobody knows which that is. */
const stepped = ({ row, column }: Cell, open: number | undefined, step: number, total: number): Cell => ({
  row: Math.min(Math.max((open ?? row) + step, 0), total - 1),
  column,
})

/** The focus may go with the panel that closes; keys then go on in the table. */
const useFocusBack = (table: RefObject<HTMLElement | null>, isOpen: boolean): void => {
  const wasOpen = useRef(isOpen)
  useLayoutEffect(() => {
    const isLost = wasOpen.current && !isOpen && document.activeElement === document.body
    if (isLost) table.current?.querySelector<HTMLElement>('[data-cursor]')?.focus({ preventScroll: true })
    wasOpen.current = isOpen
  }, [table, isOpen])
}

const FirstRows = () => (
  <Loading>
    <div className="grid grid-cols-1 gap-2 p-4">
      {Array.from({ length: 16 }, (_, row) => (
        <Skeleton key={row.toString()} className="h-5 w-full" />
      ))}
    </div>
  </Loading>
)
