import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { systemCode } from '../errors.ts'

/** Names one process for good: ids are reused, an id together with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** Start of the process in a unit of the system's own, and of the machine; null where the system does not say. */
  readonly started: string | null
}

export const ownIdentity = async (): Promise<ProcessIdentity> => {
  ownStart ??= startOf(process.pid)
  return { pid: process.pid, host: hostname(), started: await ownStart }
}

// It does not change.
let ownStart: Promise<string | null> | undefined

/** Whether that process still runs. A process of another machine counts as running: nothing here can tell. */
export const isRunning = async (identity: ProcessIdentity): Promise<boolean> => {
  if (identity.host !== hostname()) return true
  if (!isAlive(identity.pid)) return false
  const started = await startOf(identity.pid)
  return identity.started === null || started === null || started === identity.started
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

const startOf = async (pid: number): Promise<string | null> => {
  if (process.platform !== 'linux') return null
  try {
    const [status, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')])
    // The command name may hold spaces and brackets: fields are counted after its end. Field 3 is the state, 22 the start in ticks.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    const isZombie = fields[0] === 'Z'
    return isZombie ? 'ended' : `${boot.trim()}:${fields[19]}`
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH' || systemCode(error) === 'EACCES') return null
    throw error
  }
}
