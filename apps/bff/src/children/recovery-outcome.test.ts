import { expect, test } from 'vitest'
import { interruptedOutcome } from './recovery-outcome.ts'

test('a job that died is told as undone, as nothing, or, while another process is at work, as not settled yet', () => {
  const said = (recovery: Parameters<typeof interruptedOutcome>[0]) => interruptedOutcome(recovery, 'mine').error
  expect(said({ recovered: true, job_id: 'mine', outcome: 'undone' })?.detail).toMatch(/was undone; the workspace is as it was before\.$/)
  expect(said({ recovered: true, job_id: 'another', outcome: 'finished' })?.detail).toMatch(/Nothing of it was left half done/)
  expect(said({ recovered: false })).toMatchObject({
    code: 'interrupted',
    detail: expect.stringMatching(/Nothing of it was left half done/),
    hint: 'Start it again.',
  })
  const busy = said({ recovered: false, is_busy: true })
  expect(busy?.detail).toMatch(/Another process is at work/)
  expect(busy?.detail).not.toMatch(/Nothing/)
  expect(busy?.hint).toMatch(/Wait until the other process has ended/)
})
