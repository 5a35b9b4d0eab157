import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
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

/** Of a process of this machine that runs at this moment. */
export const identityOf = (pid: number): ProcessIdentity => ({ pid, host: hostname(), started: startOf(pid) })

export const ownIdentity = async (): Promise<ProcessIdentity> => ownNow()

const ownNow = (): ProcessIdentity => {
  own ??= identityOf(process.pid)
  return own
}

// It does not change.
let own: ProcessIdentity | undefined

/** Whether that process still runs. One of another machine or container counts as running: nothing here can tell. */
export const isRunning = async (identity: ProcessIdentity): Promise<boolean> => {
  if (isElsewhere(identity)) return true
  const [there, here] = [partsOf(identity.started), partsOf(ownNow().started)]
  if (areTwo(there.boot, here.boot) || !isAlive(identity.pid)) return false
  const started = startOf(identity.pid)
  return identity.started === null || started === null || partsOf(started).start === there.start
}

/** Whether the process is, or was, one of another machine, or of another container that may run beside this one. */
export const isElsewhere = (identity: ProcessIdentity): boolean => {
  if (identity.host !== hostname()) return true
  const [there, here] = [partsOf(identity.started), partsOf(ownNow().started)]
  // The containers of an earlier start of the machine are gone.
  return areTwo(there.machine, here.machine) || (!areTwo(there.boot, here.boot) && areTwo(there.space, here.space))
}

export const partsOf = (started: string | null): Record<'boot' | 'start' | 'space' | 'machine', string | undefined> => {
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

export const startOf = (pid: number): string | null => {
  if (process.platform !== 'linux') return null
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
    // The command name may hold spaces and brackets: fields are counted after its end. Field 3 is the state, 22 the start in ticks.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    const isZombie = fields[0] === 'Z'
    return [boot.trim(), isZombie ? 'ended' : fields[19], spaceOf(), machineOf()].join(':')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH' || systemCode(error) === 'EACCES') return null
    throw error
  }
}

/** Where process ids count: the number of the PID namespace. Empty when it cannot be read. */
const spaceOf = (): string => /\d+/.exec(orEmpty(() => readlinkSync('/proc/self/ns/pid')))?.[0] ?? ''

/** A hash, as the id itself is not meant to leave the machine. Empty where there is none. */
const machineOf = (): string => {
  const id = orEmpty(() => readFileSync('/etc/machine-id', 'utf8')).trim()
  return id === '' ? '' : createHash('sha256').update(`nirs-workspace ${id}`).digest('hex').slice(0, 16)
}

const orEmpty = (look: () => string): string => {
  try {
    return look()
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return ''
  }
}
