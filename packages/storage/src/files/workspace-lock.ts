import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { StorageError, systemCode } from '../errors.ts'
import { jsonOrNull } from '../json/json-or-null.ts'
import { refuseLink } from '../migration/refuse-layout.ts'
import { makeFolder, removeEmptyFolder, syncFolder, unlink } from './disk.ts'
import { createWhole, isFresh, isRightHeld, unlinkIfThere, winRight } from './exclusive-right.ts'
import { refuseForeignLock } from './foreign-lock.ts'
import { isRunning, ownIdentity } from './process-identity.ts'
import { readText } from './read-text.ts'
import { toWriteError } from './write-error.ts'

export interface WorkspaceLock {
  /** Gives the lock back; `.nirs-workspace/` goes with it when it is empty. */
  release(): Promise<void>
}

const LockContent = z.object({
  pid: z.number().int(),
  host: z.string(),
  started: z.string().nullable(),
  job_id: z.string(),
  kind: z.string(),
  nonce: z.string(),
  since: z.string(),
})
type LockContent = z.infer<typeof LockContent>

/**
 * Takes `.nirs-workspace/lock`. Fails with `workspace_busy` while a running process holds it, `store_locked` while another program holds
 * `arrays/.lock`, `path_not_allowed` where `.nirs-workspace` is a link, `read_only`, `write_failed`; a lock whose process is gone is taken
 * over by exactly one of those who try.
 */
export const acquireWorkspaceLock = async (root: string, owner: { jobId: string; kind: string }): Promise<WorkspaceLock> => {
  const path = lockPath(root)
  await refuseLink(dirname(path))
  const content: LockContent = {
    ...(await ownIdentity()),
    job_id: owner.jobId,
    kind: owner.kind,
    nonce: randomUUID(),
    since: new Date().toISOString(),
  }
  try {
    await refuseForeignLock(root)
    await makeControlFolder(dirname(path))
    await acquire(path, content)
    return { release: () => release(path, content.nonce) }
  } catch (error) {
    // It may have been taken before the disk failed.
    await release(path, content.nonce)
    throw toWriteError(error, 'Nothing was changed.')
  }
}

const acquire = async (path: string, content: LockContent): Promise<void> => {
  for (let attempt = 0; attempt < 40; attempt++) {
    if (await createLock(path, JSON.stringify(content))) {
      await sweepLeftovers(path)
      return
    }
    const found = await readLock(path)
    if (found?.content && (await isHeld(found.content))) throw busy(found.content)
    if (found !== null) await removeStale(path, found)
    await sleep(attempt * 5)
  }
  throw new StorageError('workspace_busy', 'Another job is starting on this workspace. Nothing was changed.', {
    hint: 'Try again in a moment.',
  })
}

/** Locks that this process has given back, though the disk did not let it remove the file. */
const givenBack = new Set<string>()

const isHeld = async (holder: LockContent): Promise<boolean> => !givenBack.has(holder.nonce) && isRunning(holder)

/** Who holds the lock, if that process runs. */
export const readLockHolder = async (root: string): Promise<{ pid: number; job_id: string; kind: string; since: string } | null> => {
  const holder = (await readLock(lockPath(root)))?.content
  return holder && (await isHeld(holder)) ? holder : null
}

const lockPath = (root: string) => join(root, '.nirs-workspace', 'lock')

/** Making a folder while the last holder removes it can fail as if its parent were missing; then the next attempt makes it. */
const makeControlFolder = async (folder: string): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    try {
      const first = await makeFolder(folder)
      if (first !== undefined) await flushAbove(dirname(folder), first)
      return
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || attempt === 20) throw error
      await sleep(attempt)
    }
  }
}

/** The workspace itself, and folders that lead to it, may be new: without their names a power cut would take along all that is made in it. */
const flushAbove = async (root: string, first: string): Promise<void> => {
  const top = resolve(first)
  for (let made = resolve(root); made.length >= top.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** False when the name is taken. */
const createLock = async (path: string, text: string): Promise<boolean> => {
  const created = await createWhole(path, partOf(path), text)
  // The last holder has just taken the empty folder away with the lock.
  if (created === 'no folder') await makeControlFolder(dirname(path))
  return created === 'made'
}

const partOf = (path: string) => join(dirname(path), `lock.part-${randomUUID()}`)

interface FoundLock {
  readonly text: string
  /** Null when the text is not that of a lock. */
  readonly content: LockContent | null
}

const readLock = async (path: string): Promise<FoundLock | null> => {
  const text = await readText(path)
  return text === null ? null : { text, content: LockContent.safeParse(jsonOrNull(text)).data ?? null }
}

/**
 * Removes the one lock that was judged to be stale, whatever the name holds by now. A lock's content never comes back (it holds a random
 * number), so a slow rival cannot remove a newer lock by mistake: having got the right to that content, it looks again.
 */
const removeStale = async (path: string, { text: stale, content }: FoundLock): Promise<void> => {
  // A text that is not a lock's may come back: whoever takes a lock on a disk without links writes it under its name.
  const isStale = async () => (await readText(path)) === stale && (content !== null || !(await isFresh(path)))
  if (!(await isStale())) return
  const right = await winRight(`${path}.takeover`, partOf(path), stale)
  if (right === null) return
  try {
    if (await isStale()) await unlink(path)
  } finally {
    await unlinkIfThere(right)
  }
}

/** How the names of stores begin that a holder of the lock is making. */
export const newStorePrefix = 'new-store-'

/**
 * Parts and rights of processes that died while taking the lock: without the stale lock they belong to, they allow nothing. Stores that were
 * being made under it: they have their place already, or nobody knows them.
 */
const sweepLeftovers = async (path: string): Promise<void> => {
  for (const name of await readdir(dirname(path))) {
    const leftover = join(dirname(path), name)
    const isPart = /^lock\.(part|takeover)-/.test(name) && !(await isRightHeld(leftover))
    if (isPart || name.startsWith(newStorePrefix)) await unlinkIfThere(leftover)
  }
}

const release = async (path: string, nonce: string): Promise<void> => {
  try {
    if ((await readLock(path))?.content?.nonce === nonce) await unlink(path)
    await removeEmptyFolder(dirname(path))
  } catch (error) {
    // What the job has done is done; for others, a lock that cannot be removed is stale as soon as this process ends.
    if (systemCode(error) === undefined) throw error
    givenBack.add(nonce)
  }
}

const busy = (holder: LockContent) =>
  new StorageError(
    'workspace_busy',
    `A job (${holder.kind}, process ${holder.pid} on ${holder.host}) is working on this workspace. Nothing was changed.`,
    {
      hint: `Wait until it has finished. If ${gone(holder)}that machine or container is gone for good, delete .nirs-workspace/lock.`,
      job_id: holder.job_id,
      locked_by: { pid: holder.pid, since: holder.since },
    },
  )

/** Where the system does not say when a process was started, the number of a dead one may belong to any program after a restart. */
const gone = ({ started, pid }: LockContent): string => (started === null ? `process ${pid} is another program by now, or ` : '')
