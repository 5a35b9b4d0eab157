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

  it('shows a bar of one value as chosen', () => {
    const fill = (chosen: typeof none) => {
      const bins = [{ min: 0.5, max: 0.5, count: 3 }]
      const { container, unmount } = render(<MiniHistogram bins={bins} chosen={chosen} label="" barLabel={() => ''} onRange={() => {}} />)
      const found = container.querySelectorAll('rect')[1]?.getAttribute('fill')
      unmount()
      return found
    }
    expect(fill({ min: 0.5, max: 0.5 })).toBe('var(--accent)')
    expect(fill({ min: 0.6, max: 0.7 })).toBe('var(--line-strong)')
  })
})
