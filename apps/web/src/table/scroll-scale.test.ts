import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canvasHeight,
  type Extent,
  maxCanvas,
  maxPosition,
  maxScrollTop,
  onScroll,
  revealRow,
  scrollTo,
  settle,
  startOfScroll,
} from './scroll-scale.ts'

const rowHeight = 28
const extent = fc
  .record({ rows: fc.integer({ min: 1, max: 20_000_000 }), viewport: fc.integer({ min: 100, max: 2000 }) })
  .map(({ rows, viewport }): Extent => ({ content: rows * rowHeight, viewport }))
const withPosition = extent.chain((one) =>
  fc.tuple(
    fc.constant(one),
    fc.double({ min: 0, max: 1, noNaN: true }).map((part) => part * maxPosition(one)),
  ),
)

describe('scaled scrolling', () => {
  it('never asks the browser for more height than it has', () => {
    fc.assert(fc.property(extent, (one) => canvasHeight(one) <= maxCanvas))
  })

  it('the ends of the scroll bar are the ends of the rows', () => {
    fc.assert(
      fc.property(extent, (one) => {
        expect(onScroll(one, scrollTo(one, maxPosition(one) / 2), 0).position).toBe(0)
        expect(onScroll(one, startOfScroll, maxScrollTop(one)).position).toBeCloseTo(maxPosition(one), 3)
      }),
    )
  })

  it('going to a position shows it, and the bar stays inside the canvas', () => {
    fc.assert(
      fc.property(withPosition, ([one, position]) => {
        const state = scrollTo(one, position)
        expect(state.position).toBeCloseTo(position, 6)
        expect(state.scrollTop).toBeGreaterThanOrEqual(0)
        expect(state.scrollTop).toBeLessThanOrEqual(maxScrollTop(one) + 1e-6)
      }),
    )
  })

  it('a wheel click moves the rows by exactly its pixels, however long the table', () => {
    fc.assert(
      fc.property(withPosition, fc.integer({ min: -800, max: 800 }), ([one, position], wheel) => {
        const before = scrollTo(one, position)
        const top = before.scrollTop + wheel
        fc.pre(top > 1 && top < maxScrollTop(one) - 1 && position + wheel > 0 && position + wheel < maxPosition(one))
        expect(onScroll(one, before, top).position).toBeCloseTo(position + wheel, 3)
      }),
    )
  })

  it('settling moves no row', () => {
    fc.assert(
      fc.property(withPosition, fc.integer({ min: -800, max: 800 }), ([one, position], wheel) => {
        const moved = onScroll(one, scrollTo(one, position), scrollTo(one, position).scrollTop + wheel)
        expect(settle(one, moved).position).toBeCloseTo(moved.position, 6)
      }),
    )
  })

  it('reveals any row wholly, and leaves a visible one where it is', () => {
    fc.assert(
      fc.property(withPosition, fc.double({ min: 0, max: 0.9999, noNaN: true }), ([one, position], part) => {
        const row = Math.floor((part * one.content) / rowHeight)
        const state = revealRow(one, scrollTo(one, position), row, rowHeight)
        expect(state.position).toBeLessThanOrEqual(row * rowHeight + 1e-6)
        expect(state.position + one.viewport).toBeGreaterThanOrEqual(Math.min(one.content, (row + 1) * rowHeight) - 1e-6)
        expect(revealRow(one, state, row, rowHeight).position).toBeCloseTo(state.position, 6)
      }),
    )
  })

  it('reaches row 1 000 000 by End and by dragging the bar down', () => {
    const million: Extent = { content: 1_000_000 * rowHeight, viewport: 600 }
    const last = 999_999 * rowHeight
    expect(revealRow(million, startOfScroll, 999_999, rowHeight).position).toBe(last + rowHeight - 600)
    expect(onScroll(million, startOfScroll, maxScrollTop(million)).position).toBe(last + rowHeight - 600)
  })
})
