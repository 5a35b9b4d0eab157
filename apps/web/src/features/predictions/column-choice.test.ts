import { type PredictionColumn, PredictionColumnName } from '@nirs-workspace/types'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  columnChoice,
  inSeenOrder,
  pinnedColumns,
  shownColumns,
  withColumnAt,
  withColumnMoved,
  withColumns,
  withColumnToggled,
  withPinToggled,
  withStandardColumns,
} from './column-choice.ts'
import type { PredictionSearch } from './search.ts'

const three = withColumns({}, ['model_name', 'metric', 'run_name'])

type Step = readonly [PredictionColumn, 'pin' | 'up' | 'down' | 'at', PredictionColumn]

const apply = (search: PredictionSearch, [name, what, other]: Step): PredictionSearch => {
  const shown = shownColumns(search)
  if (!shown.includes(name)) return search
  if (what === 'pin') return withPinToggled(search, name)
  if (what === 'at')
    return withColumnAt(
      search,
      name,
      shown.find((column) => column === other),
    )
  return withColumnMoved(search, name, what === 'up' ? -1 : 1)
}

describe('choice of columns', () => {
  it('pins to the left in the order of pinning, and lets go', () => {
    const pinned = withPinToggled(withPinToggled(three, 'run_name'), 'metric')
    expect(shownColumns(pinned)).toEqual(['run_name', 'metric', 'model_name'])
    expect(pinnedColumns(pinned)).toEqual(['run_name', 'metric'])
    expect(pinnedColumns(withPinToggled(pinned, 'run_name'))).toEqual(['metric'])
    expect(withPinToggled(withPinToggled(three, 'metric'), 'metric')).not.toHaveProperty('pin')
  })

  it('moves within the pinned or within the others, never across', () => {
    expect(shownColumns(withColumnMoved(three, 'metric', 1))).toEqual(['model_name', 'run_name', 'metric'])
    expect(shownColumns(withColumnAt(three, 'run_name', 'model_name'))).toEqual(['run_name', 'model_name', 'metric'])
    expect(shownColumns(withColumnAt(three, 'model_name', 'run_name'))).toEqual(['metric', 'run_name', 'model_name'])
    const pinned = withPinToggled(three, 'model_name')
    expect(withColumnMoved(pinned, 'metric', -1)).toEqual(pinned)
    expect(withColumnMoved(three, 'model_name', -1)).toEqual(three)
  })

  it('moves in a table that shows another order than the chosen one, as it is seen there', () => {
    const seen = ['run_name', 'model_name'] as const
    const moved = withColumnAt(inSeenOrder(three, seen), 'model_name', 'run_name')
    expect(shownColumns(moved)).toEqual(['model_name', 'run_name', 'metric'])
    expect(inSeenOrder({}, shownColumns({}))).toEqual({})
  })

  it('shows a column where the standard order has it; the last one stays', () => {
    expect(shownColumns(withColumnToggled(three, 'val_score'))).toEqual(['model_name', 'val_score', 'metric', 'run_name'])
    const one = withColumns({}, ['metric'])
    expect(withColumnToggled(one, 'metric')).toEqual(one)
  })

  it('a hidden column is not pinned any more, and comes back as it was when shown again', () => {
    const pinned = withPinToggled(three, 'metric')
    expect(pinnedColumns(withColumnToggled(pinned, 'metric'))).toEqual([])
  })

  it('goes back to the standard and keeps the filters', () => {
    const search = { ...withPinToggled(three, 'metric'), differ: 'only' as const, q: 'pls' }
    expect(withStandardColumns(search)).toEqual({ q: 'pls' })
    expect(columnChoice(search)).toEqual({ cols: search.cols, pin: 'metric', differ: 'only' })
  })

  it('no sequence of moves and pins loses or doubles a column', () => {
    const column = fc.constantFrom(...PredictionColumnName.options)
    const step = fc.tuple(column, fc.constantFrom<Step[1][]>('pin', 'up', 'down', 'at'), column)
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const search = steps.reduce<PredictionSearch>(apply, {})
        expect(shownColumns(search).toSorted()).toEqual(shownColumns({}).toSorted())
        const pinned = pinnedColumns(search)
        expect(shownColumns(search).slice(0, pinned.length)).toEqual(pinned)
      }),
    )
  })
})
