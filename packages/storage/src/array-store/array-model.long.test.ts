import fc from 'fast-check'
import { expect, test } from 'vitest'
import { playSequence, sequences } from './testing/model-sequences.ts'

test('random sequences of save, upsert, delete, restore, copy, merge, compact, reopen, crash, damage and foreign writes hold what the model holds, bit for bit', {
  timeout: 1_200_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(sequences, (steps) => playSequence(steps, (found, expected) => expect(found).toEqual(expected))),
    // Making a failing sequence smaller must not use up the time in which it can be told.
    { numRuns: 1000, interruptAfterTimeLimit: 900_000, markInterruptAsFailure: true },
  )
})
