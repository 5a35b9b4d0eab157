import { setFaultHook } from '../../files/fault-point.ts'

/** What a test kills a change with. */
export class Killed extends Error {}

/** From the given operation on nothing reaches the disk, each failing with this error. */
export const failAt = (point: number, error: Error, onFailure: () => void) => {
  let count = 0
  let dead = false
  setFaultHook(() => {
    dead ||= count++ === point
    if (!dead) return
    onFailure()
    throw error
  })
}

/** Runs until just before the given operation; nothing after it reaches the disk. Tells whether there was such an operation. */
export const killedAt = async (point: number, run: () => Promise<unknown>): Promise<boolean> => {
  let killed = false
  failAt(point, new Killed(), () => {
    killed = true
  })
  try {
    await run()
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
  setFaultHook(undefined)
  return killed
}
