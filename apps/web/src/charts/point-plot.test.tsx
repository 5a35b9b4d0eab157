import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, it } from 'vitest'
import { PointPlot } from './point-plot.tsx'
import type { Point } from './square-scale.ts'

const pointOf = (index: number): Point => ({ index, x: index, y: index })

/** As the thinned plot of many values: every third dot is drawn, and the pinned one. */
const Thinned = ({ first }: { first: number }) => {
  const [pinned, setPinned] = useState<number | undefined>(first)
  const places = [...new Set([0, 3, 6, 9, ...(pinned === undefined ? [] : [pinned])])].toSorted((one, other) => one - other)
  return (
    <PointPlot
      dots={places.map(pointOf)}
      xDomain={[0, 10]}
      yDomain={[0, 10]}
      xLabel="Measured"
      yLabel="Predicted"
      partition="val"
      label="Dots"
      describe={(dot) => `dot ${dot.index}`}
      pinned={pinned === undefined ? undefined : pointOf(pinned)}
      nameOf={(dot) => `pinned ${dot.index}`}
      onPin={(dot) => setPinned((before) => (before === dot.index ? undefined : dot.index))}
      ticks={() => ({ text: String, offset: '' })}
      lines={() => null}
    />
  )
}

it('stays at the dot that is pinned, whichever dots are drawn then', async () => {
  render(<Thinned first={1} />)
  screen.getByRole('img', { name: 'Dots' }).focus()
  await userEvent.keyboard('{ArrowRight}{ArrowRight}{ArrowRight}{ArrowRight}{Enter}')
  expect([screen.getByText('dot 6'), screen.getByText('pinned 6')]).toHaveLength(2)
  await userEvent.keyboard('{Enter}')
  expect([screen.getByText('dot 6'), screen.queryByText(/^pinned/)]).toEqual([expect.anything(), null])
  await userEvent.keyboard('{ArrowRight}')
  expect(screen.getByText('dot 9')).toBeInTheDocument()
})
