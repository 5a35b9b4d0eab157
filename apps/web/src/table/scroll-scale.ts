/**
 * Scrolling beyond the height that browsers allow (16 to 33 million pixels). The rows live in *content* pixels, the scroll bar
 * moves over a *canvas* of at most `maxCanvas`. Small moves (wheel, arrows) shift the content one to one; large moves (dragging the
 * thumb) map the whole canvas onto the whole content; both ends of the canvas are the ends of the content.
 */
export interface Extent {
  /** rows × row height */
  readonly content: number
  /** Height of the visible part. */
  readonly viewport: number
}

export interface ScrollState {
  /** What the browser's scroll bar says, in canvas pixels. */
  readonly scrollTop: number
  /** First visible content pixel. */
  readonly position: number
}

/** Half of the smallest limit met in browsers in use, so that zoom and borders leave room. */
export const maxCanvas = 8_000_000

/** Moves up to this size are wheel and key moves; a drag of the thumb by one screen pixel is larger once the canvas is scaled. */
const localMove = 2_000

export const startOfScroll: ScrollState = { scrollTop: 0, position: 0 }

export const canvasHeight = (extent: Extent): number => Math.min(extent.content, maxCanvas)
export const maxPosition = (extent: Extent): number => Math.max(0, extent.content - extent.viewport)
export const maxScrollTop = (extent: Extent): number => Math.max(0, canvasHeight(extent) - extent.viewport)

const clamp = (value: number, max: number): number => Math.min(Math.max(value, 0), max)

/** Content pixels per canvas pixel; 1 while no scaling is needed. */
const factor = (extent: Extent): number => {
  const range = maxScrollTop(extent)
  return range === 0 ? 1 : maxPosition(extent) / range
}

/** The state after the browser reports a new scrollTop. */
export const onScroll = (extent: Extent, state: ScrollState, scrollTop: number): ScrollState => {
  const top = clamp(scrollTop, maxScrollTop(extent))
  if (extent.content <= maxCanvas) return { scrollTop: top, position: top }
  if (top === 0) return startOfScroll
  if (top >= maxScrollTop(extent) - 0.5) return { scrollTop: top, position: maxPosition(extent) }
  const move = top - state.scrollTop
  const position = Math.abs(move) > localMove ? top * factor(extent) : state.position + move
  return { scrollTop: top, position: clamp(position, maxPosition(extent)) }
}

/** The state that shows this content position; the caller sets the element's scrollTop to match. */
export const scrollTo = (extent: Extent, position: number): ScrollState => {
  const clamped = clamp(position, maxPosition(extent))
  return { position: clamped, scrollTop: clamped / factor(extent) }
}

/** Small moves let bar and content drift apart; at rest the bar goes back to where the content says, without moving a row. */
export const settle = (extent: Extent, state: ScrollState): ScrollState => scrollTo(extent, state.position)

/** Moves as little as possible so that this row is wholly visible. */
export const revealRow = (extent: Extent, state: ScrollState, row: number, rowHeight: number): ScrollState => {
  const start = row * rowHeight
  if (start < state.position) return scrollTo(extent, start)
  if (start + rowHeight > state.position + extent.viewport) return scrollTo(extent, start + rowHeight - extent.viewport)
  return state
}
