import { fireEvent, render, screen } from '@testing-library/react'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { MiniHistogram } from './mini-histogram.tsx'

const none = { min: Number.NaN, max: Number.NaN }

/** The range that a click on each of these bars chooses. */
const clickEach = (edges: readonly number[]): [number, number][] => {
  const ranges: [number, number][] = []
  const bins = edges.slice(1).map((max, place) => ({ min: edges[place] ?? 0, max, count: 1 }))
  render(<MiniHistogram bins={bins} chosen={none} label="scores" barLabel={() => ''} onRange={(min, max) => ranges.push([min, max])} />)
  const chart = screen.getByRole('img')
  const box = vi.spyOn(chart, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, bins.length, 1))
  Object.assign(chart, { setPointerCapture: () => {} })
  onTestFinished(() => box.mockRestore())
  for (const place of bins.keys()) {
    fireEvent.pointerDown(chart, { clientX: place + 0.5 })
    fireEvent.pointerUp(chart)
  }
  return ranges
}

describe('small histogram', () => {
  it('chooses the values of a bar and none of the next one', () => {
    const ranges = clickEach([-0.5, -0.25, 0, 0.1, 0.8, 1])
    expect(ranges.map(([min]) => min)).toEqual([-0.5, -0.25, 0, 0.1, 0.8])
    expect(ranges.map(([, max]) => max)).toEqual([-0.25000000000000006, -5e-324, 0.09999999999999999, 0.7999999999999999, 1])
  })

  /** Which of these bars are lit. */
  const lit = (edges: readonly (readonly [number, number])[], chosen: typeof none): boolean[] => {
    const bins = edges.map(([min, max]) => ({ min, max, count: 3 }))
    const { container, unmount } = render(<MiniHistogram bins={bins} chosen={chosen} label="" barLabel={() => ''} onRange={() => {}} />)
    const fills = [...container.querySelectorAll('rect:nth-of-type(2)')].map((bar) => bar.getAttribute('fill') === 'var(--accent)')
    unmount()
    return fills
  }

  it('shows a bar of one value as chosen', () => {
    expect(lit([[0.5, 0.5]], { min: 0.5, max: 0.5 })).toEqual([true])
    expect(lit([[0.5, 0.5]], { min: 0.6, max: 0.7 })).toEqual([false])
  })

  it('shows every bar as chosen that holds a value of the range, whose ends are in it', () => {
    const bars = [
      [0, 0.4],
      [0.4, 0.8],
      [0.8, 1],
    ] as const
    expect(lit(bars, { min: 1, max: Number.NaN })).toEqual([false, false, true])
    expect(lit(bars, { min: Number.NaN, max: 0.8 })).toEqual([true, true, true])
    expect(lit(bars, { min: 0.4, max: 0.7999999999999999 })).toEqual([false, true, false])
  })
})
