import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ReaderOrder } from '../children/reader-messages.ts'
import { createLog } from '../log.ts'
import { ArrayReaderProcess } from './array-reader-process.ts'

const places = { root: '/nowhere', duckdb: null, bak: null, arrays: '/nowhere/arrays' }
const ref = { prediction_id: 'p1', array_source: 'wheat.parquet', n_samples: 3 }
const order: ReaderOrder = { type: 'arrays', format: 'json', places, ref }
const deadlineMs = 30_000
const late = expect.stringMatching(/longer than 30 seconds(?!.*damaged)/)

let arrays: ArrayReaderProcess
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  arrays = new ArrayReaderProcess(createLog(() => undefined))
})
afterEach(() => {
  vi.useRealTimers()
  arrays.close()
})

test('a request that was given up before its read began does not end the reader later', async () => {
  await expect(arrays.read(order, AbortSignal.abort()).next()).rejects.toMatchObject({ code: 'cancelled' })
  const { pid } = arrays
  vi.advanceTimersByTime(deadlineMs)
  vi.useRealTimers()
  await expect(arrays.read(order).next()).rejects.toMatchObject({ code: 'arrays_missing' })
  expect(arrays.pid).toBe(pid)
})

test('a read over its deadline is told as such to all who waited, not as damage, and the next read starts another reader', async () => {
  const waiting = [1, 2].map(() => expect(arrays.read(order).next()).rejects.toMatchObject({ code: 'reader_failed', message: late }))
  const { pid } = arrays
  vi.advanceTimersByTime(deadlineMs)
  vi.useRealTimers()
  const next = expect(arrays.read(order).next()).rejects.toMatchObject({ code: 'arrays_missing' })
  expect(arrays.pid).not.toBe(pid)
  await Promise.all([...waiting, next])
})
