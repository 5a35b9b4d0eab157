import { ArrowDown, ArrowUp } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, type ReactNode, useState } from 'react'
import { classNames } from '../lib/class-names.ts'
import { useText } from '../text/text.tsx'

export interface HeaderView {
  readonly id: string
  readonly width: number
  /** As in `ColumnView`. */
  readonly pinnedAt: number | undefined
  readonly right: boolean
  readonly label: string
  readonly hint: string
  /** Small sign after the label, such as the direction of a score. */
  readonly badge: ReactNode
  readonly sort: 'asc' | 'desc' | undefined
  /** Place among several sort keys, from 1; undefined with one key or none. */
  readonly sortPlace: number | undefined
  /** Starts a resize by mouse or touch. */
  readonly startResize: (event: unknown) => void
}

interface GridHeaderProps {
  readonly headers: readonly HeaderView[]
  readonly height: number
  readonly width: number
  readonly cursor: number
  readonly onSort: (id: string, add: boolean) => void
  readonly onResize: (id: string, width: number) => void
  /** Puts a column into the place of another. */
  readonly onMove: (id: string, to: string) => void
}

const ariaSort = { asc: 'ascending', desc: 'descending' } as const
/** What is dragged is a column of this table and nothing else; types of the clipboard are lower case. */
const dragType = 'application/x-nirs-column'
/** Pixels per Alt+arrow. */
const keyStep = 16

export const GridHeader = ({ headers, height, width, cursor, onSort, onResize, onMove }: GridHeaderProps) => {
  const text = useText()
  const [target, setTarget] = useState<string>()
  const step = (header: HeaderView, by: -1 | 1): void => {
    const to = headers[headers.indexOf(header) + by]
    if (to !== undefined) onMove(header.id, to.id)
  }
  const drop = (event: DragEvent, id: string): void => {
    event.preventDefault()
    setTarget(undefined)
    const from = event.dataTransfer.getData(dragType)
    if (from !== '') onMove(from, id)
  }
  const onKeyDown = (event: KeyboardEvent, header: HeaderView): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      onSort(header.id, event.shiftKey)
    } else if (event.altKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      event.preventDefault()
      event.stopPropagation()
      if (event.shiftKey) step(header, event.key === 'ArrowRight' ? 1 : -1)
      else onResize(header.id, header.width + (event.key === 'ArrowRight' ? keyStep : -keyStep))
    }
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: the rows below are placed freely, so none of this is a table element
    // biome-ignore lint/a11y/useFocusableInteractive: in an ARIA grid the cells take focus, not the rows
    <div role="row" aria-rowindex={1} className="sticky top-0 z-10 flex border-b border-line-strong bg-surface" style={{ height, width }}>
      {headers.map((header, position) => (
        // biome-ignore lint/a11y/useSemanticElements: see the row
        <div
          key={header.id}
          role="columnheader"
          aria-colindex={position + 1}
          aria-sort={header.sort === undefined ? 'none' : ariaSort[header.sort]}
          tabIndex={position === cursor ? 0 : -1}
          data-column={position}
          data-cursor={position === cursor || undefined}
          title={`${header.hint}\n${text.grid.sortHint}`}
          draggable
          onDragStart={(event) => event.dataTransfer.setData(dragType, header.id)}
          onDragOver={(event) => {
            if (!event.dataTransfer.types.includes(dragType)) return
            event.preventDefault()
            setTarget(header.id)
          }}
          onDragLeave={() => setTarget(undefined)}
          onDrop={(event) => drop(event, header.id)}
          onClick={(event) => onSort(header.id, event.shiftKey)}
          onKeyDown={(event) => onKeyDown(event, header)}
          className={classNames(
            'group flex shrink-0 cursor-pointer items-center gap-1 px-2 text-xs font-semibold text-muted outline-offset-[-2px] select-none hover:bg-hover hover:text-ink',
            header.right && 'justify-end',
            header.sort !== undefined && 'text-ink',
            header.pinnedAt === undefined ? 'relative' : 'sticky z-1 border-r border-line bg-surface max-sm:relative max-sm:left-auto!',
            header.id === target && 'bg-accent-soft!',
          )}
          style={{ width: header.width, left: header.pinnedAt }}
        >
          <span className="truncate">{header.label}</span>
          {header.badge}
          {header.sort === 'asc' ? <ArrowUp size={13} aria-hidden className="shrink-0 text-accent" /> : null}
          {header.sort === 'desc' ? <ArrowDown size={13} aria-hidden className="shrink-0 text-accent" /> : null}
          {header.sortPlace === undefined ? null : <span className="text-[0.65rem] text-accent">{header.sortPlace}</span>}
          <ResizeHandle header={header} />
        </div>
      ))}
    </div>
  )
}

/** For the mouse only; keys resize with Alt and an arrow on the header itself. */
const ResizeHandle = ({ header }: { header: HeaderView }) => (
  <span
    aria-hidden
    onMouseDown={(event) => {
      // Else the browser starts to drag the column away.
      event.preventDefault()
      header.startResize(event)
    }}
    onTouchStart={header.startResize}
    onClick={(event) => event.stopPropagation()}
    className="absolute top-0 right-0 h-full w-2 cursor-col-resize touch-none border-r-2 border-transparent group-hover:border-line-strong hover:border-accent!"
  />
)
