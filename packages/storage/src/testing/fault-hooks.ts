import { writeFileSync } from 'node:fs'
import type { DiskOperation, FaultHook } from '../files/fault-point.ts'

/**
 * kill: SIGKILL before operation n. torn: half of a write, then SIGKILL. stop: as kill, but inside this process: from n on nothing
 * reaches the disk any more. The others fail operation n (once) or all from n on (sticky) with the system's error.
 */
export type FaultMode = 'count' | 'kill' | 'torn' | 'stop' | 'ENOSPC' | 'EIO' | 'EFBIG' | 'ENOSPC-sticky' | 'EIO-sticky'

export interface CountingHook {
  hook: FaultHook
  operations: DiskOperation[]
}

/** A hook that counts the operations on a disk from 1 and makes the n-th of them fail in a given way. */
export const faultHook = (mode: FaultMode, n: number): CountingHook => {
  const operations: DiskOperation[] = []
  const hook = (operation: DiskOperation) => {
    operations.push(operation)
    const at = operations.length
    const isSticky = mode === 'stop' || mode.endsWith('-sticky')
    if (mode === 'count' || at < n || (at > n && !isSticky)) return
    fail(mode, operation)
  }
  return { hook, operations }
}

const fail = (mode: FaultMode, operation: DiskOperation): void => {
  if (mode === 'torn') writeHalf(operation)
  if (mode === 'kill' || mode === 'torn') process.kill(process.pid, 'SIGKILL')
  const code = mode === 'stop' ? 'EIO' : mode.replace('-sticky', '')
  throw Object.assign(new Error(`${code}: injected before ${operation.kind} of ${operation.path}`), { code })
}

const writeHalf = ({ kind, path, data, position }: DiskOperation): void => {
  if (kind !== 'write' || data === undefined || position !== undefined) return
  const bytes = Buffer.from(data)
  writeFileSync(path, bytes.subarray(0, bytes.length / 2))
}
