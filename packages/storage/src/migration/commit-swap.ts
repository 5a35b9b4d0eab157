import { dirname, join } from 'node:path'
import { StorageError } from '../errors.ts'
import { makeFolder, removeTree, rename, syncFolder, unlink } from '../files/disk.ts'
import { identityOf } from '../files/file-identity.ts'
import { exists, isSameInode, linkNew, linkOrMove } from '../files/move-file.ts'
import { namesIn } from '../workspace/look-at.ts'
import { type MigrateJournal, removeJournal, writeJournal } from './journal.ts'
import { type Layout, placesOf } from './workspace-layout.ts'

/**
 * Puts everything that was staged in its place. Until the new store takes the name `store.duckdb` an undo is possible, from then on only
 * finishing: the existence of the new store under its own name tells which. Everything before is on the disk before that rename.
 */
export const commitSwap = async (layout: Layout, journal: MigrateJournal, original: StoreIdentity): Promise<void> => {
  await refuseReplaced(layout.store, layout.wal, original, takenAway)
  for (const { target } of [...journal.placed, ...journal.removed]) await refuseChanged(layout, target, target, original)
  await writeJournal(layout, { ...journal, phase: 'commit' })
  await placeFiles(layout, journal, original)
  await keepOriginal(layout, journal)
  // What has just got its second name must be what was migrated: a program that replaces files, as a synchronisation does, needs no lock.
  const wal = journal.backup_wal === null ? layout.wal : join(layout.root, journal.backup_wal)
  await refuseReplaced(join(layout.root, journal.backup), wal, original, placedStays)
  await rename(placesOf(layout, journal.job_id).newStore, layout.store)
  await finishSwap(layout, journal)
}

/** The store, its log and the files in arrays/, as they were before the first byte was read. */
export interface StoreIdentity {
  readonly store: string | null
  readonly wal: string | null
  /** By their paths from the workspace's folder. */
  readonly arrays: ReadonlyMap<string, string | null>
}

export const storeIdentity = async (layout: Layout): Promise<StoreIdentity> => {
  const arrays = new Map<string, string | null>()
  for (const name of await namesIn(layout.arrays)) arrays.set(`arrays/${name}`, await identityOf(join(layout.arrays, name)))
  return { store: await identityOf(layout.store), wal: await identityOf(layout.wal), arrays }
}

const takenAway = 'Everything that the migration had written was taken away again'
// The other program may have read them there: see undo-migration.ts.
const placedStays =
  'The Parquet files that the migration had put into arrays/ stay there, and those that they replaced in .nirs-workspace/migrations/; everything else was taken away again'

const refuseReplaced = async (store: string, wal: string, original: StoreIdentity, left: string): Promise<void> => {
  if ((await identityOf(store)) === original.store && (await identityOf(wal)) === original.wal) return
  throw new StorageError(
    'plan_stale',
    `Another program has replaced or changed the store during the migration. ${left}; what the other program wrote is untouched.`,
    { path: store, hint: 'Let the other program finish, then migrate again.' },
  )
}

/** Also a file that was not there: whoever has made it meanwhile has put rows into it that the migration does not know. */
const refuseChanged = async (layout: Layout, target: string, place: string, original: StoreIdentity): Promise<void> => {
  if ((await identityOf(join(layout.root, place))) === (original.arrays.get(target) ?? null)) return
  throw changedMeanwhile(layout, target)
}

const changedMeanwhile = (layout: Layout, target: string) =>
  new StorageError(
    'plan_stale',
    `Another program has changed or made ${target} during the migration. ${takenAway}; what the other program wrote is untouched.`,
    { path: join(layout.root, target), hint: 'Let the other program finish, then migrate again.' },
  )

/**
 * Whether the new store has taken its place. It lies under its own name until then; the kept original tells a finished swap from an undo
 * that has taken the new store away already, because an undo gives that up first.
 */
export const isSwapDone = async (layout: Layout, journal: MigrateJournal): Promise<boolean> =>
  journal.phase === 'commit' &&
  !(await exists(placesOf(layout, journal.job_id).newStore)) &&
  (await exists(join(layout.root, journal.backup))) &&
  ((await exists(layout.store)) || (await wasConverted(layout)))

/** Whether nirs4all has turned the new store into a store.sqlite since. */
const wasConverted = async ({ converted }: Layout): Promise<boolean> => (await exists(converted.sqlite)) && (await exists(converted.kept))

const placeFiles = async (layout: Layout, journal: MigrateJournal, original: StoreIdentity): Promise<void> => {
  const at = (path: string) => join(layout.root, path)
  const { replaced, folder, staging } = placesOf(layout, journal.job_id)
  if (journal.removed.length > 0 || journal.placed.some((file) => file.replaced !== null)) {
    await makeFolder(replaced)
    await syncFolder(folder)
  }
  for (const file of journal.placed) {
    if (file.replaced === null) continue
    await linkOrMove(at(file.target), at(file.replaced))
    await refuseChanged(layout, file.target, file.replaced, original)
  }
  for (const file of journal.removed) {
    await refuseChanged(layout, file.target, file.target, original)
    await rename(at(file.target), at(file.replaced))
  }
  if (journal.removed.length > 0 || journal.placed.some((file) => file.replaced !== null)) await syncFolder(replaced)
  for (const file of journal.placed) {
    // Where there are no links the old one is away already.
    if (file.replaced === null || !(await exists(at(file.target)))) {
      if (!(await linkNew(at(file.staged), at(file.target)))) throw changedMeanwhile(layout, file.target)
    } else {
      await refuseChanged(layout, file.target, file.target, original)
      await rename(at(file.staged), at(file.target))
    }
  }
  await syncFolder(staging)
  await syncFolder(layout.arrays)
}

const keepOriginal = async (layout: Layout, journal: MigrateJournal): Promise<void> => {
  if (journal.backup_wal !== null) await linkOrMove(layout.wal, join(layout.root, journal.backup_wal))
  await linkOrMove(layout.store, join(layout.root, journal.backup))
  await syncFolder(layout.root)
}

/** After the swap: the old log must not meet the new store; then nothing of the job is left but its results. Can be repeated. */
export const finishSwap = async (layout: Layout, journal: MigrateJournal): Promise<void> => {
  // A log with another identity belongs to a program that has opened the new store since.
  if (journal.backup_wal !== null && (await isSameInode(layout.wal, join(layout.root, journal.backup_wal)))) await unlink(layout.wal)
  await syncFolder(layout.root)
  const { staging } = placesOf(layout, journal.job_id)
  await removeTree(staging)
  await syncFolder(dirname(staging))
  await removeJournal(layout)
}
