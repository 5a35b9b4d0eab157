import { Scatter } from '@nirs-workspace/types'
import { describe, expect, it } from 'vitest'
import { scatterOf } from '../../../test/app.tsx'
import { pinnedPlace, sampleAt, togglePin } from './pinned-sample.ts'

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

  it('is one value of a sample with several targets, which lie beside each other', () => {
    const two = { ...first, sample_indices: [7, 8] }
    expect([0, 1, 2, 3].map((place) => sampleAt(two, place))).toEqual([7, 7, 8, 8])
    for (const place of [0, 1, 2, 3]) expect(pinnedPlace(two, togglePin(two, place, undefined))).toBe(place)
    const turnedTwo = { ...two, prediction_id: 'p1', sample_indices: [8, 7] }
    expect(pinnedPlace(turnedTwo, togglePin(two, 1, undefined))).toBe(3)
    expect(pinnedPlace({ ...first, sample_indices: [8, 7, 6, 5] }, togglePin(two, 1, undefined))).toBeUndefined()
  })

  it('is the one that was clicked where a number occurs more than once, and is let go by another click', () => {
    const repeated = { ...first, sample_indices: [10, 20, 20, 40] }
    const pinned = togglePin(repeated, 2, undefined)
    expect(pinnedPlace(repeated, pinned)).toBe(2)
    expect(togglePin(repeated, 2, pinned)).toBeUndefined()
    expect(pinnedPlace(first, pinned)).toBe(1)
  })

  it('does not take a place for the number of a sample that has none', () => {
    const some = { ...first, sample_indices: [10, null, 1] }
    expect([0, 1, 2, 3].map((place) => sampleAt(some, place))).toEqual([10, null, 1, null])
    expect(pinnedPlace(some, togglePin(some, 1, undefined))).toBe(1)
    expect(pinnedPlace({ ...some, prediction_id: 'p1' }, togglePin(some, 1, undefined))).toBeUndefined()
  })

  it('without numbers stays within its prediction', () => {
    const bare = { ...first, sample_indices: null }
    const pinned = togglePin(bare, 3, undefined)
    expect(pinnedPlace(bare, pinned)).toBe(3)
    expect(pinnedPlace({ ...bare, prediction_id: 'p1' }, pinned)).toBeUndefined()
  })
})
