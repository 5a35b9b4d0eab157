import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { rename, syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { identityOf } from '../files/file-identity.ts'
import { exists } from '../files/move-file.ts'
import type { WorkspaceLock } from '../files/workspace-lock.ts'
import { beginJournal } from '../migration/journal.ts'
import { rebuildStore } from '../migration/rebuild-store.ts'
import { refuseLinkedStore } from '../migration/refuse-layout.ts'
import { sourceAlias } from '../migration/source-tables.ts'
import { underLock } from '../migration/under-lock.ts'
import { type Layout, layoutOf, placesOf } from '../migration/workspace-layout.ts'
import { checkGiven } from '../options/check-options.ts'
import { optionsOf, signal as stopSignal, lock as workspaceLock } from '../options/option-schemas.ts'
import { resolveAgain, resolveWritable } from '../store/resolve-writable.ts'
import { refuseLinksFor } from '../trash/trash-places.ts'
import { claimStore, withAttachedStore } from '../workspace/open-store.ts'
import { endVacuum } from './end-vacuum.ts'
import type { VacuumJournal } from './vacuum-journal.ts'

export interface VacuumReport {
  readonly bytes_before: number
  readonly bytes_after: number
  /** False when the rewritten store was no smaller: the old one stays. */
  readonly replaced: boolean
}

export interface VacuumOptions {
  /** Stops it until the new store is in its place. */
  readonly signal?: AbortSignal | undefined
  /** The workspace lock, when the caller holds it. */
  readonly lock?: WorkspaceLock | undefined
}

const Options = optionsOf<VacuumOptions>({ signal: stopSignal, lock: workspaceLock })

/**
 * Writes the store anew without its free blocks, compares every row, and puts it in the place of the old one by one rename. A kill at any
 * instant leaves the old store or the new one. Throws `not_migrated` for stores of older releases: a migration rewrites those.
 */
export const vacuumWorkspace = async (path: string, options: VacuumOptions = {}): Promise<VacuumReport> => {
  checkGiven(Options, options)
  const place = await resolveWritable(path, false)
  const layout = layoutOf(place.root)
  await refuseLinksFor(layout)
  await refuseLinkedStore(layout)
  const jobId = `vacuum-${randomUUID().slice(0, 8)}`
  const { lock, signal } = options
  return underLock(layout, { jobId, kind: 'vacuum', name: 'vacuum', lock, signal }, async () => {
    const { store } = await resolveAgain(place)
    return vacuum(layout, store ?? layout.store, jobId, signal)
  })
}

const vacuum = async (layout: Layout, store: string, job: string, signal: AbortSignal | undefined): Promise<VacuumReport> => {
  await takeLogIn(store)
  const journal: VacuumJournal = {
    format: 'nirs-workspace/journal/1',
    kind: 'vacuum',
    job_id: job,
    phase: 'prepare',
    started_at: new Date().toISOString(),
  }
  await beginJournal(layout, journal)
  try {
    await syncFolder(layout.root)
    const report = await withEngine({}, (engine) =>
      withAttachedStore(engine, store, sourceAlias, () => rewrite(engine, layout, store, job, signal)),
    )
    await endVacuum(layout, journal)
    return report
  } catch (error) {
    await endVacuum(layout, journal)
    throw error
  }
}

/** A log of changes belongs to the old file and must not meet the new one. */
const takeLogIn = async (store: string): Promise<void> => {
  const giveBack = await claimStore(store)
  try {
    await faultPoint({ kind: 'engine-write', path: store })
    await withEngine({}, async (engine) => {
      await attachWritable(engine, store, 'written')
      await engine.run('CHECKPOINT written')
      await detach(engine, 'written')
    })
  } finally {
    giveBack()
  }
}

/** The store is attached all the while, so that no other program writes to what is about to be replaced. */
const rewrite = async (
  engine: Engine,
  layout: Layout,
  store: string,
  job: string,
  signal: AbortSignal | undefined,
): Promise<VacuumReport> => {
  const before = await identityOf(store)
  if (await exists(layout.wal)) throw changed(store)
  const { newStore } = placesOf(layout, job)
  // Who may read and write the store is the user's choice, not that of the process that rewrites it.
  const mode = (await stat(store)).mode & 0o777
  const tables = await attachedTables(engine, sourceAlias)
  const { lost } = await rebuildStore(engine, tables, newStore, { signal, keepSummaries: true, mode })
  if (lost.length > 0) throw unfit(store, lost)
  await syncFile(newStore, mode)
  await syncFolder(layout.root)
  const [bytes_before, bytes_after] = [(await stat(store)).size, (await stat(newStore)).size]
  signal?.throwIfAborted()
  if ((await identityOf(store)) !== before || (await exists(layout.wal))) throw changed(store)
  if (bytes_after >= bytes_before) return { bytes_before, bytes_after: bytes_before, replaced: false }
  await rename(newStore, store)
  await syncFolder(layout.root)
  return { bytes_before, bytes_after, replaced: true }
}

const changed = (path: string) =>
  new StorageError('plan_stale', 'Another program has changed the store meanwhile. It was left as it is.', {
    path,
    hint: 'Let the other program finish, then try again.',
  })

const unfit = (path: string, lost: readonly string[]) =>
  new StorageError('store_unsafe', `The store has what cannot be made again: ${lost.slice(0, 5).join(', ')}. It was left as it is.`, {
    path,
  })
