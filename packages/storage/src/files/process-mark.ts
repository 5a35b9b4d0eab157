import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { isAlive, ownIdentity, startOf } from './process-identity.ts'

/** A process as the name of a file says it: `<pid>.<machine>.<start>`, the last two as digests. */
export const ownMark = async (): Promise<string> => {
  const { pid, host, started } = await ownIdentity()
  return `${pid}.${short(host)}.${short(started ?? '')}`
}

/**
 * Whether the process whose mark a name begins with runs, another one than ours. Earlier versions wrote the id alone, which then decides.
 * One of another machine counts as running, as does whoever wrote a name without a mark: nothing here can tell.
 */
export const isAnotherRunning = async (name: string): Promise<boolean> => {
  const mark = /^(\d+)(?:\.([0-9a-f]{8})\.([0-9a-f]{8}))?(?:-|$)/.exec(name)
  const pid = Number(mark?.[1] ?? 0)
  if (mark === null || !Number.isSafeInteger(pid) || pid <= 0) return true
  const [, , host, start] = mark
  if (host === undefined) return pid !== process.pid && isAlive(pid)
  if (host !== short(hostname())) return true
  if (!isAlive(pid)) return false
  const started = startOf(pid)
  if (started !== null && start !== short('') && start !== short(started)) return false
  return pid !== process.pid
}

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
