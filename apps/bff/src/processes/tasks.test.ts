import { expect, test, vi } from 'vitest'
import * as z from 'zod'
import { Tasks } from './tasks.ts'

test('work over its deadline is told as such, not as a damaged store', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const late = expect(
      new Tasks().run({ task: 'migrate_status', path: '/nowhere', cache: '/nowhere' }, z.unknown()),
    ).rejects.toMatchObject({
      code: 'timed_out',
      message: expect.stringContaining('10 minutes'),
    })
    await vi.advanceTimersByTimeAsync(600_000)
    await late
  } finally {
    vi.useRealTimers()
  }
})
