import { expect } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'

/** Runs a job of which, from `after` operations behind the first of these on, nothing reaches the disk any more. */
export const stopFrom = async (
  isPlace: (operation: DiskOperation) => boolean,
  after: number,
  job: () => Promise<unknown>,
): Promise<void> => {
  let left = Number.POSITIVE_INFINITY
  setFaultHook((operation) => {
    if (left === Number.POSITIVE_INFINITY && isPlace(operation)) left = after
    if (left <= 0) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    left -= 1
  })
  await expect(job()).rejects.toThrow()
  setFaultHook(undefined)
}
