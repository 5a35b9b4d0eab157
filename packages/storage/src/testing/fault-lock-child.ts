import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isStorageError } from '../errors.ts'
import { acquireWorkspaceLock } from '../files/workspace-lock.ts'

/** At every message: takes the lock, stays inside for a moment, and tells whether it was `held`, `busy`, or held by `both`. */
const root = process.argv[2] ?? ''
const inside = join(root, 'inside')

const round = async (): Promise<string> => {
  try {
    const lock = await acquireWorkspaceLock(root, { jobId: String(process.pid), kind: 'race' })
    const alone = await writeFile(inside, '', { flag: 'wx' }).then(
      () => true,
      () => false,
    )
    await sleep(2)
    if (alone) await rm(inside)
    await lock.release()
    return alone ? 'held' : 'both'
  } catch (error) {
    return isStorageError(error, 'workspace_busy') ? 'busy' : `failed: ${String(error)}`
  }
}

process.on('message', async () => process.send?.(await round()))
process.send?.('ready')
