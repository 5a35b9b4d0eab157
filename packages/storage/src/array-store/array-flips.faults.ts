import { expect, test } from 'vitest'
import { unnoticedFlips } from './testing/flip-bits.ts'

test('2 000 single flipped bits: all found by the deep check, and no read serves other values', async () => {
  expect(await unnoticedFlips(2000)).toEqual([])
})
