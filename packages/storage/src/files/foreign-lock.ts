import { open, readFile, readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LockHolder } from '@nirs-workspace/types'
import { storeLocked } from '../engine/engine-error.ts'
import { StorageError, systemCode } from '../errors.ts'
import { look } from '../workspace/look-at.ts'

/**
 * Throws `store_locked` while another program holds `arrays/.lock`, on which nirs4all 0.9.2 and later has an exclusive flock while it
 * rewrites array files. Node cannot take that lock, but Linux lists who has it; other systems do not, and nothing is refused there.
 */
export const refuseForeignLock = async (root: string): Promise<void> => {
  const holder = await holderOf(join(root, 'arrays', '.lock'))
  if (holder === null) return
  const isKnown = holder > 0
  throw new StorageError(
    'store_locked',
    `${isKnown ? `Process ${holder}` : 'Another process'} is writing array files: it holds arrays/.lock. Nothing was changed.`,
    {
      hint: 'Wait until it has finished, then try again.',
      path: join(root, 'arrays', '.lock'),
      ...(isKnown ? { locked_by: { pid: holder } } : {}),
    },
  )
}

/**
 * Throws `store_locked` while another program has a DuckDB store open for writing, also one that has not written yet. Nothing is opened;
 * where the system does not list locks, only whoever opens the store is told.
 */
export const refuseHeldStore = async (store: string): Promise<void> => {
  const holder = await holderOf(store)
  if (holder === null) return
  throw storeLocked(await describeHolder(holder))
}

/** Who has a DuckDB store open for writing; null for nobody, and where the system does not say who. */
export const storeHolder = async (store: string | null): Promise<LockHolder | null> => {
  const holder = store === null ? null : await holderOf(store)
  return holder === null ? null : ((await describeHolder(holder)) ?? null)
}

const describeHolder = async (pid: number): Promise<LockHolder | undefined> => (pid > 0 ? { pid, ...(await commandOf(pid)) } : undefined)

const commandOf = async (pid: number): Promise<{ command?: string }> => {
  try {
    return { command: await readlink(`/proc/${pid}/exe`) }
  } catch (error) {
    // Gone by now, or of another user.
    if (systemCode(error) === undefined) throw error
    return {}
  }
}

/** The process; not above 0 when the system does not say which; null when nobody holds a lock on the file, or nobody can tell. */
const holderOf = async (path: string): Promise<number | null> => {
  const inode = (await look(path))?.ino
  const locks = inode === undefined ? null : await readSystem('/proc/locks')
  if (locks === null) return null
  const device = await deviceOf(dirname(path))
  for (const [, pid, major = '', minor = '', ino] of locks.matchAll(held)) {
    if (Number(ino) === inode && `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}` === device) return Number(pid)
  }
  return null
}

/** Who waits for a lock has an arrow before its kind. */
const held = /^\d+: (?:FLOCK|POSIX|OFDLCK) +ADVISORY +WRITE +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm

/** As /proc/locks names it: that of the mount. What `stat` answers is another one on Btrfs. */
const deviceOf = async (folder: string): Promise<string | null> => {
  const handle = await open(folder)
  try {
    const mount = /^mnt_id:\s*(\d+)$/m.exec((await readSystem(`/proc/self/fdinfo/${handle.fd}`)) ?? '')?.[1]
    const mounts = (await readSystem('/proc/self/mountinfo')) ?? ''
    return (
      mounts
        .split('\n')
        .map((line) => line.split(' '))
        .find(([id]) => id === mount)?.[2] ?? null
    )
  } finally {
    await handle.close()
  }
}

/** Null where the system has no such file, or does not show it. */
const readSystem = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return null
  }
}
