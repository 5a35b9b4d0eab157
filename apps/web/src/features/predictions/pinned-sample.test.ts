import { Scatter } from '@nirs-workspace/types'
import { describe, expect, it } from 'vitest'
import { scatterOf } from '../../../test/app.tsx'
import { pinnedPlace, togglePin } from './pinned-sample.ts'

const first = Scatter.parse(scatterOf('p0'))
const turned = { ...first, prediction_id: 'p1', sample_indices: [40, 30, 20, 10] }

describe('pinned sample', () => {
  it('is found by its number in other predictions of the dataset', () => {
    const pinned = togglePin(first, 1, undefined)
    expect(pinned?.sample).toBe(20)
    expect(pinnedPlace(turned, pinned)).toBe(2)
    expect(pinnedPlace({ ...first, sample_indices: [1, 2, 3, 4] }, pinned)).toBeUndefined()
    expect(pinnedPlace({ ...first, dataset_name: 'rye' }, pinned)).toBeUndefined()
  })

  it('is let go by pinning it again', () => {
    expect(togglePin(turned, 2, togglePin(first, 1, undefined))).toBeUndefined()
  })

  it('without numbers stays within its prediction', () => {
    const bare = { ...first, sample_indices: null }
    const pinned = togglePin(bare, 3, undefined)
    expect(pinnedPlace(bare, pinned)).toBe(3)
    expect(pinnedPlace({ ...bare, prediction_id: 'p1' }, pinned)).toBeUndefined()
  })
})
