import { expect, test } from 'vitest'
import { floatList, integerList, type NumberList } from '../engine/number-list.ts'
import type { ArrayRow } from './array-source.ts'
import { hashArrays } from './dataset-hash.ts'
import { emptyRow } from './testing/empty-row.ts'

const hashOf = (lists: Partial<ArrayRow>) => hashArrays({ ...emptyRow, ...lists })

/** The same list as the engine hands it out: under a null lies what the memory held before. */
const over = <V extends NumberList>(list: V, hidden: number): V => {
  const values = list.values.slice()
  list.nulls?.forEach((isNull, index) => {
    if (isNull === 1) values[index] = hidden
  })
  return { ...list, values }
}

test('what lies under a null element says nothing; that it is null says something', () => {
  const [floats, integers] = [floatList([1, null, 3]), integerList([1, null, 3])]
  for (const hidden of [0, 7, Number.NaN]) expect(hashOf({ y_true: over(floats, hidden) })).toBe(hashOf({ y_true: floats }))
  for (const hidden of [7, -1]) expect(hashOf({ sample_indices: over(integers, hidden) })).toBe(hashOf({ sample_indices: integers }))
  for (const value of [0, Number.NaN]) expect(hashOf({ y_true: floatList([1, value, 3]) })).not.toBe(hashOf({ y_true: floats }))
  expect(hashOf({ sample_indices: integerList([1, 0, 3]) })).not.toBe(hashOf({ sample_indices: integers }))
  expect(hashOf({ y_true: floatList([null, 0]) })).not.toBe(hashOf({ y_true: floatList([0, null]) }))
})

test('NaN is NaN whatever its bits, without nulls as it always was', () => {
  const bits = new BigUint64Array([0xfff8000000000001n])
  expect(hashOf({ y_true: { values: new Float64Array(bits.buffer), nulls: null } })).toBe(hashOf({ y_true: floatList([Number.NaN]) }))
})
