import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import type { RowRange } from './row-range.ts'
import { canvasHeight, type Extent, onScroll, revealRow, type ScrollState, scrollTo, settle, startOfScroll } from './scroll-scale.ts'

interface Options {
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly total: number
  readonly rowHeight: number
  /** Height of what sticks to the top of the scroller and covers rows. */
  readonly headerHeight: number
}

/** What to draw: rows `first` to `last`, each at row × rowHeight − offset canvas pixels. */
export interface RowWindow extends RowRange {
  readonly offset: number
}

export interface ScaledRows extends RowWindow {
  /** The size of the scroller is known. */
  readonly ready: boolean
  readonly canvas: number
  /** Whole rows that fit, for PageUp and PageDown. */
  readonly page: number
  readonly visible: RowRange
  readonly reveal: (row: number) => void
  readonly handleScroll: () => void
}

/** Rows drawn above and below the visible ones, so that a wheel click never shows an empty strip. */
const overscan = 8
/** Pause after which a scroll counts as over, in milliseconds. */
const restDelay = 160

/** Draws the visible rows of a table of any length; all arithmetic is in scroll-scale.ts. */
export const useScaledRows = ({ scroller, total, rowHeight, headerHeight }: Options): ScaledRows => {
  const [viewport, setViewport] = useState(0)
  const [rows, setRows] = useState<RowWindow>({ first: 0, last: -1, offset: 0 })
  const scroll = useRef<ScrollState>(startOfScroll)
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined)
  const extent: Extent = { content: total * rowHeight, viewport }

  const show = useCallback(
    (state: ScrollState): void => {
      scroll.current = state
      setRows((before) => sameWindow(before, windowOf(state, total, rowHeight, viewport)))
    },
    [total, rowHeight, viewport],
  )

  const place = useCallback(
    (state: ScrollState): void => {
      const element = scroller.current
      if (element !== null) element.scrollTop = state.scrollTop
      // Browsers round; what they kept is what the next scroll event starts from.
      show({ position: state.position, scrollTop: element?.scrollTop ?? state.scrollTop })
    },
    [scroller, show],
  )

  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const measure = (): void => setViewport(Math.max(0, element.clientHeight - headerHeight))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [scroller, headerHeight])

  const firstRow = useRef(0)
  useLayoutEffect(() => {
    // Another height of rows keeps the first visible row where it is; another total keeps as much of the place as is left.
    place(scrollTo({ content: total * rowHeight, viewport }, firstRow.current * rowHeight))
  }, [total, rowHeight, viewport, place])

  useEffect(() => () => clearTimeout(rest.current), [])

  const handleScroll = (): void => {
    const element = scroller.current
    if (element === null) return
    const next = onScroll(extent, scroll.current, element.scrollTop)
    firstRow.current = next.position / rowHeight
    flushSync(() => show(next))
    clearTimeout(rest.current)
    rest.current = setTimeout(() => place(settle(extent, scroll.current)), restDelay)
  }

  const reveal = useCallback(
    (row: number): void => {
      const next = revealRow({ content: total * rowHeight, viewport }, scroll.current, row, rowHeight)
      firstRow.current = next.position / rowHeight
      if (next !== scroll.current) place(next)
    },
    [total, rowHeight, viewport, place],
  )

  return {
    ...rows,
    ready: viewport > 0,
    canvas: canvasHeight(extent),
    page: Math.max(1, Math.floor(viewport / rowHeight) - 1),
    visible: { first: Math.min(rows.first + overscan, Math.max(0, total - 1)), last: rows.last - overscan },
    reveal,
    handleScroll,
  }
}

const windowOf = ({ position, scrollTop }: ScrollState, total: number, rowHeight: number, viewport: number): RowWindow => ({
  first: Math.max(0, Math.floor(position / rowHeight) - overscan),
  last: Math.min(total - 1, Math.ceil((position + viewport) / rowHeight) + overscan - 1),
  offset: position - scrollTop,
})

const sameWindow = (before: RowWindow, next: RowWindow): RowWindow =>
  before.first === next.first && before.last === next.last && before.offset === next.offset ? before : next
