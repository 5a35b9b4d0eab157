import fc from 'fast-check'
import { expect, test } from 'vitest'
import { playSequence, sequences } from './testing/model-sequences.ts'

test('a thousand random sequences hold what the model holds', async () => {
  await fc.assert(
    fc.asyncProperty(sequences, (steps) => playSequence(steps, (found, expected) => expect(found).toEqual(expected))),
    { numRuns: 1000 },
  )
})
