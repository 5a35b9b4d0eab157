import { systemCode } from '@nirs-workspace/storage'

/** Whether a process of this id runs, of whatever user. */
export const isAlive = (pid: number): boolean => {
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
