import { expect, test } from 'vitest'
import { shortBound } from './short-bound.ts'

test.each([
  ['0.7999999999999999', '0.8'],
  ['-5e-324', '0'],
  ['0.123456789012', '0.123456789012'],
  ['-12', '-12'],
  ['1e21', '1e+21'],
  ['', ''],
  ['Infinity', 'Infinity'],
  ['no number', 'no number'],
])('the bound %j is shown as %j', (bound, shown) => {
  expect(shortBound(bound)).toBe(shown)
})
