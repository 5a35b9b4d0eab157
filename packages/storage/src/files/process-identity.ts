import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { systemCode } from '../errors.ts'

/** Names one process for good: ids are reused, an id together with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /**
   * `boot:start:space:machine`: when the machine and the process were started in units of the system's own, and where its id counts: hosts
   * of one name may be several machines, or several containers of one. Null where the system does not say.
   */
  readonly started: string | null
}

export const ownIdentity = async (): Promise<ProcessIdentity> => {
  ownStart ??= startOf(process.pid)
  return { pid: process.pid, host: hostname(), started: await ownStart }
}

// It does not change.
let ownStart: Promise<string | null> | undefined

/** Whether that process still runs. One of another machine or container counts as running: nothing here can tell. */
export const isRunning = async (identity: ProcessIdentity): Promise<boolean> => {
  if (identity.host !== hostname()) return true
  const [there, here] = [partsOf(identity.started), partsOf((await ownIdentity()).started)]
  if (areTwo(there.machine, here.machine)) return true
  if (areTwo(there.boot, here.boot)) return false
  if (areTwo(there.space, here.space)) return true
  if (!isAlive(identity.pid)) return false
  const started = await startOf(identity.pid)
  return identity.started === null || started === null || partsOf(started).start === there.start
}

const partsOf = (started: string | null): Record<'boot' | 'start' | 'space' | 'machine', string | undefined> => {
  const [boot, start, space, machine] = (started ?? '').split(':')
  return { boot, start, space, machine }
}

/** Nothing is known of what is not there. */
const areTwo = (a: string | undefined, b: string | undefined): boolean =>
  a !== b && a !== undefined && a !== '' && b !== undefined && b !== ''

/** Whether a process of this id runs, of whatever user. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

export const startOf = async (pid: number): Promise<string | null> => {
  if (process.platform !== 'linux') return null
  try {
    const [status, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')])
    // The command name may hold spaces and brackets: fields are counted after its end. Field 3 is the state, 22 the start in ticks.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    const isZombie = fields[0] === 'Z'
    return [boot.trim(), isZombie ? 'ended' : fields[19], await spaceOf(), await machineOf()].join(':')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH' || systemCode(error) === 'EACCES') return null
    throw error
  }
}

/** Where process ids count: the number of the PID namespace. Empty when it cannot be read. */
const spaceOf = async (): Promise<string> => {
  const link = await readlink('/proc/self/ns/pid').catch(() => '')
  return /\d+/.exec(link)?.[0] ?? ''
}

/** A hash, as the id itself is not meant to leave the machine. Empty where there is none. */
const machineOf = async (): Promise<string> => {
  const id = (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim()
  return id === '' ? '' : createHash('sha256').update(`nirs-workspace ${id}`).digest('hex').slice(0, 16)
}
