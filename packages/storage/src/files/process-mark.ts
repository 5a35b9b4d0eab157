import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { isAlive, ownIdentity, partsOf, startOf } from './process-identity.ts'

/** A process as the name of a file says it: `<pid>.<machine's name>.<start>.<boot>.<space>.<machine>`, all but the first as digests. */
export const ownMark = async (): Promise<string> => {
  const { pid, host, started } = await ownIdentity()
  const { boot, space, machine } = partsOf(started)
  return [pid, ...[host, started ?? '', boot ?? '', space ?? '', machine ?? ''].map(short)].join('.')
}

const form = /^(\d+)(?:\.([0-9a-f]{8})\.([0-9a-f]{8})(?:\.([0-9a-f]{8})\.([0-9a-f]{8})\.([0-9a-f]{8}))?)?(?:-|$)/

/** Whether the process whose mark a name begins with runs, another one than ours; it counts as running where nobody can tell. */
export const isAnotherRunning = async (name: string): Promise<boolean> => (await lookForAnother(name)) !== 'gone'

/**
 * What has become of the process whose mark a name begins with, another one than ours. Earlier versions wrote the id alone, or no more than
 * the start, which then decides. Of one of another machine or container nothing here can tell, nor of whoever wrote a name without a mark.
 */
export const lookForAnother = async (name: string): Promise<'runs' | 'gone' | 'nobody can tell'> => {
  const mark = form.exec(name)
  const pid = Number(mark?.[1] ?? 0)
  if (mark === null || !Number.isSafeInteger(pid) || pid <= 0) return 'nobody can tell'
  const [, , host, start, boot, space, machine] = mark
  if (host === undefined) return pid !== process.pid && isAlive(pid) ? 'runs' : 'gone'
  if (host !== short(hostname())) return 'nobody can tell'
  const here = partsOf((await ownIdentity()).started)
  // The containers of an earlier start of the machine are gone.
  if (areTwo(machine, here.machine) || (!areTwo(boot, here.boot) && areTwo(space, here.space))) return 'nobody can tell'
  if (!isAlive(pid)) return 'gone'
  const started = startOf(pid)
  if (started !== null && start !== short('') && start !== short(started)) return 'gone'
  return pid === process.pid ? 'gone' : 'runs'
}

/** Nothing is known of what is not there. */
const areTwo = (digest: string | undefined, part: string | undefined): boolean =>
  digest !== undefined && digest !== short('') && part !== undefined && part !== '' && digest !== short(part)

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
