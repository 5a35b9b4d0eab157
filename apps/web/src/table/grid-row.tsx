import { PanelRightOpen } from 'lucide-react'
import { memo, type ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export interface ColumnView<Row> {
  readonly id: string
  readonly width: number
  /** Pixels from the left edge where the column stays when the others scroll; undefined = it scrolls. */
  readonly pinnedAt: number | undefined
  readonly right: boolean
  readonly cell: (row: Row) => ReactNode
  /** The full value, for hover and screen readers' title. */
  readonly title: (row: Row) => string | undefined
}

/** A row that is here. */
export interface LoadedRow<Row> {
  readonly row: Row
  /** A newer answer is on its way, or has not been asked for yet. */
  readonly stale: boolean
  /** It answers the question of before, and stands for a row of this one that is not here yet. */
  readonly former: boolean
}

interface GridRowProps<Row> {
  readonly index: number
  readonly top: number
  readonly height: number
  readonly width: number
  /** Undefined = not loaded yet. */
  readonly row: Row | undefined
  readonly former: boolean
  readonly columns: readonly ColumnView<Row>[]
  /** Column of the cursor when it is in this row, else −1. */
  readonly cursor: number
  readonly selected: boolean
  readonly open: boolean
  readonly openLabel: string
}

/** What a double click and Enter do, to be seen and touched; keys need no second stop. The grid handles the click. */
const OpenButton = ({ label, shown }: { label: string; shown: boolean }) => (
  <button
    type="button"
    tabIndex={-1}
    data-open
    aria-label={label}
    title={label}
    className={classNames(
      'absolute inset-y-0 right-0 inline-flex w-7 items-center justify-center bg-raised text-accent group-hover:opacity-100 hover:bg-accent-soft',
      shown ? 'opacity-100' : 'opacity-0',
    )}
  >
    <PanelRightOpen size={15} aria-hidden />
  </button>
)

/** One data row; `aria-rowindex` counts the header as row 1. */
const GridRowOf = <Row,>({ index, top, height, width, row, former, columns, cursor, selected, open, openLabel }: GridRowProps<Row>) => (
  // biome-ignore lint/a11y/useSemanticElements: a table element cannot place rows freely over a scaled canvas
  // biome-ignore lint/a11y/useFocusableInteractive: in an ARIA grid the cells take focus, not the rows
  <div
    role="row"
    aria-rowindex={index + 2}
    aria-selected={selected}
    aria-current={open || undefined}
    aria-busy={row === undefined || undefined}
    data-row={index}
    className={classNames(
      'group absolute left-0 flex border-b border-line',
      open ? 'bg-selected' : selected ? 'bg-accent-soft' : 'bg-surface hover:bg-hover',
      former && 'opacity-50',
    )}
    style={{ top, height, width }}
  >
    {columns.map((column, position) => (
      // biome-ignore lint/a11y/useSemanticElements: see the row
      <div
        key={column.id}
        role="gridcell"
        aria-colindex={position + 1}
        tabIndex={position === cursor ? 0 : -1}
        data-column={position}
        data-cursor={position === cursor || undefined}
        title={row === undefined ? undefined : column.title(row)}
        className={classNames(
          'flex shrink-0 items-center overflow-hidden px-2 whitespace-nowrap outline-offset-[-2px]',
          column.right && 'justify-end',
          position === 0 && column.pinnedAt === undefined && 'relative',
          column.pinnedAt !== undefined && 'sticky z-1 border-r border-line bg-inherit max-sm:relative max-sm:left-auto!',
          position === cursor && 'ring-1 ring-inset ring-line-strong',
        )}
        style={{ width: column.width, left: column.pinnedAt }}
      >
        {row === undefined ? <span aria-hidden className="skeleton h-2.5 w-3/5" /> : column.cell(row)}
        {position === 0 && row !== undefined ? <OpenButton label={openLabel} shown={cursor >= 0} /> : null}
      </div>
    ))}
  </div>
)

/** Memoised by its props: a scroll re-renders only rows that come into view. */
export const GridRow = memo(GridRowOf) as typeof GridRowOf
