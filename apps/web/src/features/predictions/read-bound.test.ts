import { expect, it } from 'vitest'
import { makeFormatters } from '../../lib/format.ts'
import { readBound } from './read-bound.ts'

it('reads a figure as the table shows it, with both of its minus signs', () => {
  expect(readBound(makeFormatters('en').score(-0.00001234), 'en')).toBe('-1.234e-5')
})
