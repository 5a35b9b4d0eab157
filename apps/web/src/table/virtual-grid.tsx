import { type KeyboardEvent, type MouseEvent, useEffect, useLayoutEffect, useRef } from 'react'
import { useText } from '../text/text.tsx'
import { GridHeader, type HeaderView } from './grid-header.tsx'
import { type Cell, moveCell } from './grid-keyboard.ts'
import { type ColumnView, GridRow, type LoadedRow } from './grid-row.tsx'
import { inRange, type RowRange, rangeBetween } from './row-range.ts'
import { useScaledRows } from './use-scaled-rows.ts'

export interface VirtualGridProps<Row> {
  readonly label: string
  readonly headers: readonly HeaderView[]
  readonly columns: readonly ColumnView<Row>[]
  readonly total: number
  readonly rowHeight: number
  readonly busy: boolean
  /** When this changes the grid shows its first row. */
  readonly topKey: string
  readonly rowAt: (index: number) => LoadedRow<Row> | undefined
  readonly onVisible: (range: RowRange) => void
  readonly cursor: Cell
  readonly onCursor: (cell: Cell) => void
  readonly selection: RowRange | undefined
  readonly onSelect: (range: RowRange | undefined) => void
  /** Row whose details are open beside the grid. */
  readonly openRow: number | undefined
  readonly onOpen: (row: number) => void
  readonly onSort: (column: string, add: boolean) => void
  readonly onResize: (column: string, width: number) => void
  readonly onMoveColumn: (column: string, to: string) => void
  readonly onCopy: () => void
}

const headerHeight = 34

/** An ARIA grid over rows that come in pages: real totals, one tab stop, and keys that reach every row. */
export const VirtualGrid = <Row,>(props: VirtualGridProps<Row>) => {
  const { headers, columns, total, rowHeight, cursor, onCursor, selection, onSelect } = props
  const text = useText()
  const scroller = useRef<HTMLDivElement>(null)
  const anchor = useRef(0)
  const rows = useScaledRows({ scroller, total, rowHeight, headerHeight })
  const { reveal, first, last, ready } = rows
  const width = columns.reduce((sum, column) => sum + column.width, 0)
  const { onVisible } = props

  useEffect(() => {
    if (last >= first) onVisible({ first, last })
  }, [first, last, onVisible])

  const shownKey = useRef(props.topKey)
  useLayoutEffect(() => {
    if (shownKey.current !== props.topKey) reveal(0)
    shownKey.current = props.topKey
  }, [props.topKey, reveal])

  const hadFocus = useRef(false)
  const drawnKey = useRef<string>(undefined)
  const columnsKey = columns.map((column) => column.id).join()
  // Only a moved cursor scrolls; a wheel must be free to leave it behind.
  useLayoutEffect(() => {
    if (!ready) return
    const areOthers = drawnKey.current !== undefined && drawnKey.current !== columnsKey
    drawnKey.current = columnsKey
    if (areOthers) {
      if (hadFocus.current && !hasFocus(scroller.current)) focusCursor(scroller.current)
      return
    }
    if (cursor.row >= 0) reveal(cursor.row)
    revealColumn(scroller.current, columns, cursor.column)
    // The row that had the focus may be gone, and the focus with it.
    const isLost = hadFocus.current && document.activeElement === document.body
    if (isLost || hasFocus(scroller.current)) focusCursor(scroller.current)
  }, [cursor, ready, columnsKey])

  const move = (to: Cell, extend: boolean): void => {
    if (extend) onSelect(rangeBetween(anchor.current, Math.max(0, to.row)))
    else {
      anchor.current = Math.max(0, to.row)
      onSelect(undefined)
    }
    onCursor(to)
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const ctrl = event.ctrlKey || event.metaKey
    const hasRows = selection !== undefined || cursor.row >= 0
    if (event.key === 'Enter' && cursor.row >= 0) props.onOpen(cursor.row)
    else if (event.key === 'c' && ctrl && hasRows && getSelection()?.isCollapsed !== false) props.onCopy()
    if (event.altKey) return
    const to = moveCell(cursor, { key: event.key, ctrl }, { rows: total, columns: columns.length, page: rows.page })
    if (to === undefined) return
    event.preventDefault()
    move(to, event.shiftKey)
  }

  const onClick = (event: MouseEvent): void => {
    const cell = cellOf(event.target)
    if (cell === undefined) return
    if (cell.row < 0) onCursor(cell)
    else if (event.target instanceof Element && event.target.closest('[data-open]') !== null) {
      move(cell, false)
      props.onOpen(cell.row)
    } else move(cell, event.shiftKey)
  }

  const drawn = rowsToDraw(rows, cursor.row, total)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot place rows freely over a scaled canvas
    <div
      ref={scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-busy={props.busy}
      onScroll={rows.handleScroll}
      // A cell that has the focus and goes with its column says nothing: the focus is then still taken for one of the grid.
      onFocus={() => {
        hadFocus.current = true
      }}
      onBlur={(event) => {
        hadFocus.current = event.currentTarget.contains(event.relatedTarget)
      }}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onDoubleClick={(event) => openAt(event, props.onOpen)}
      className="relative h-full min-h-0 overflow-auto bg-surface text-[0.93rem] [overflow-anchor:none]"
    >
      {/* biome-ignore lint/a11y/useSemanticElements: see the grid */}
      <div role="rowgroup" className="contents">
        <GridHeader
          headers={headers}
          height={headerHeight}
          width={width}
          cursor={cursor.row < 0 ? cursor.column : -1}
          onSort={props.onSort}
          onResize={props.onResize}
          onMove={props.onMoveColumn}
        />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see the grid */}
      <div role="rowgroup" className="relative" style={{ height: rows.canvas, width }}>
        {drawn.map((index) => {
          const loaded = props.rowAt(index)
          return (
            <GridRow
              key={index}
              index={index}
              top={clampTop(index * rowHeight - rows.offset, rows.canvas - rowHeight)}
              height={rowHeight}
              width={width}
              row={loaded?.row}
              former={loaded?.former ?? false}
              columns={columns}
              cursor={cursor.row === index ? cursor.column : -1}
              selected={inRange(selection, index)}
              open={props.openRow === index}
              openLabel={text.grid.open}
            />
          )
        })}
      </div>
    </div>
  )
}

/** The cursor's row stays in the page when scrolled away, so that focus is never lost. */
const rowsToDraw = ({ first, last }: RowRange, cursorRow: number, total: number): number[] => {
  const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => first + step)
  if (cursorRow < 0 || cursorRow >= total || (cursorRow >= first && cursorRow <= last)) return rows
  return cursorRow < first ? [cursorRow, ...rows] : [...rows, cursorRow]
}

const clampTop = (top: number, max: number): number => Math.max(0, Math.min(top, max))

const hasFocus = (grid: HTMLElement | null): boolean => grid?.contains(document.activeElement) === true

const focusCursor = (grid: HTMLElement | null): void => {
  grid?.querySelector<HTMLElement>('[data-cursor]')?.focus({ preventScroll: true })
}

const revealColumn = <Row,>(grid: HTMLElement | null, columns: readonly ColumnView<Row>[], position: number): void => {
  if (grid === null || columns[position]?.pinnedAt !== undefined) return
  const covered = columns.reduce((sum, column) => sum + (column.pinnedAt === undefined ? 0 : column.width), 0)
  const start = columns.slice(0, position).reduce((sum, column) => sum + column.width, 0)
  const end = start + (columns[position]?.width ?? 0)
  if (start < grid.scrollLeft + covered) grid.scrollLeft = start - covered
  else if (end > grid.scrollLeft + grid.clientWidth) grid.scrollLeft = end - grid.clientWidth
}

const cellOf = (target: EventTarget): Cell | undefined => {
  if (!(target instanceof Element)) return undefined
  const row = target.closest<HTMLElement>('[data-row]')?.dataset.row
  const column = target.closest<HTMLElement>('[data-column]')?.dataset.column
  if (column === undefined) return undefined
  return { row: row === undefined ? -1 : Number(row), column: Number(column) }
}

const openAt = (event: MouseEvent, onOpen: (row: number) => void): void => {
  const cell = cellOf(event.target)
  if (cell === undefined || cell.row < 0) return
  // A double click also selects the word under it, which here means nothing.
  getSelection()?.removeAllRanges()
  onOpen(cell.row)
}
