import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MigrationProof } from '@nirs-workspace/types'
import { ArrayFolder } from '../array-store/array-folder.ts'
import { clearSaved } from '../array-store/tombstone-file.ts'
import { tombstonesName } from '../arrays/tombstones.ts'
import { StorageError } from '../errors.ts'
import { makeFolder, removeEmptyFolder, rename, syncFolder, unlink } from '../files/disk.ts'
import { identityOf } from '../files/file-identity.ts'
import { hashAttachedFile } from '../files/hash-attached-file.ts'
import { markWithoutHash } from '../files/hash-file.ts'
import { exists, isSameInode, linkOrMove } from '../files/move-file.ts'
import { writeDurably } from '../files/write-durably.ts'
import { type RollbackJournal, removeJournal } from './journal.ts'
import { keepingWritersOut } from './keep-writers-out.ts'
import { newerMarks } from './newer-marks.ts'
import { proofName, readProof, retireProof, undoneProofName } from './proof-file.ts'
import { refuseLinkedWay } from './refuse-layout.ts'
import type { Layout } from './workspace-layout.ts'

/**
 * Puts the original back, step by step, each of which can be repeated: a rollback that has begun is always finished. The original takes
 * its old name in one rename; anything newer than what the migration left is kept first. Returns the folder of that, if any.
 */
export const finishRollback = async (layout: Layout, journal: RollbackJournal): Promise<string | null> => {
  const folder = join(layout.migrations, journal.migration)
  const proof = await proofIn(folder)
  await refuseLinkedRollback(layout, proof)
  const kept = join(layout.root, journal.kept)
  if (await exists(join(layout.root, proof.original.path))) {
    await takeNewerMarksAway(layout, proof, kept)
    await swapBack(layout, proof, kept)
  }
  // One that another program has made meanwhile would hide the original.
  if (await exists(layout.store)) await keepSqlite(layout, kept)
  if (proof.arrays_created) await takeMarksAway(layout, kept)
  await takeFilesAway(layout, proof, kept)
  if (proof.arrays_created) await removeEmptyFolder(layout.arrays)
  await syncFolder(layout.root)
  await retireProof(folder)
  await syncFolder(folder)
  await removeJournal(layout)
  return (await exists(kept)) ? kept : null
}

/** What a roll back moves and takes away must be inside the workspace itself. Throws `path_not_allowed`. */
export const refuseLinkedRollback = async (layout: Layout, { job_id, files, replaced }: MigrationProof): Promise<void> => {
  const paths = [...files.map(({ path }) => path), ...replaced.flatMap(({ path, kept_as }) => [path, kept_as])]
  const folders = new Set(paths.map((path) => dirname(join(layout.root, path))))
  for (const folder of folders.add(join(layout.migrations, job_id))) await refuseLinkedWay(layout, folder)
}

/** As `finishRollback`, for a rollback that has died: by now another program may have opened the store. Then `store_locked`. */
export const resumeRollback = async (layout: Layout, journal: RollbackJournal): Promise<string | null> => {
  const finish = () => finishRollback(layout, journal)
  // Beside the log of the original nobody should open the newer store: DuckDB would replay what belongs to another one.
  const isMixed = await isLogBack(layout, await proofIn(join(layout.migrations, journal.migration)))
  return isMixed ? finish() : keepingWritersOut(layout, true, finish)
}

const proofIn = async (folder: string): Promise<MigrationProof> => {
  const proof = (await readProof(join(folder, proofName))) ?? (await readProof(join(folder, undoneProofName)))
  if (proof === null) throw missingProof(folder)
  return proof
}

const swapBack = async (layout: Layout, proof: MigrationProof, kept: string): Promise<void> => {
  const original = join(layout.root, proof.original.path)
  // What a newer log says can be read with the store that it was written for alone.
  if (!(await isFile(layout.store, proof.store)) || (await hasNewerLog(layout, proof))) await keep(layout.store, join(kept, 'store.duckdb'))
  await keepSqlite(layout, kept)
  await swapLog(layout, proof, kept)
  await flushKept(kept)
  await rename(original, layout.store)
  await syncFolder(layout.root)
}

/** A log beside a store that it does not belong to would be replayed into it: the newer one goes before the original comes back. */
const swapLog = async (layout: Layout, proof: MigrationProof, kept: string): Promise<void> => {
  const { wal } = proof.original
  if (await isLogBack(layout, proof)) return
  await keep(layout.wal, join(kept, 'store.duckdb.wal'))
  await flushKept(kept)
  if (wal !== null) await rename(join(layout.root, wal.path), layout.wal)
  else if (await exists(layout.wal)) await unlink(layout.wal)
}

const isLogBack = async (layout: Layout, { original: { wal } }: MigrationProof): Promise<boolean> =>
  wal !== null && (await isFile(layout.wal, wal))

const hasNewerLog = async (layout: Layout, proof: MigrationProof): Promise<boolean> =>
  (await exists(layout.wal)) && !(await isLogBack(layout, proof))

/** Only while the original has its second name: under its first one it is attached already when a rollback is taken up again. */
const takeNewerMarksAway = async (layout: Layout, proof: MigrationProof, kept: string): Promise<void> => {
  const newer = await newerMarks(layout, proof)
  if (newer.length === 0) return
  const as = join(kept, 'arrays', tombstonesName)
  await makeFolder(dirname(as))
  await writeDurably(await freeName(as), await readFile(join(layout.arrays, tombstonesName)))
  await flushKept(kept)
  await clearSaved(new ArrayFolder(layout.root), newer)
}

/** Made since, as the folder was: they are of the newer state. */
const takeMarksAway = async ({ arrays }: Layout, kept: string): Promise<void> => {
  const marks = join(arrays, tombstonesName)
  if (await exists(marks)) await keepAway(marks, join(kept, 'arrays', tombstonesName))
  await flushKept(kept)
}

const takeFilesAway = async (layout: Layout, proof: MigrationProof, kept: string): Promise<void> => {
  // Hashing takes a while: what has been judged may be another file by the time that it goes.
  const judged = new Map<string, string | null>()
  for (const file of proof.files) {
    const path = join(layout.root, file.path)
    const replaced = proof.replaced.find((one) => one.path === file.path)
    const isRestored = replaced !== undefined && !(await exists(join(layout.root, replaced.kept_as)))
    if (isRestored) continue
    const before = await identityOf(path)
    const isOurs = (await isFile(path, file)) && (await identityOf(path)) === before
    if (isOurs && replaced !== undefined) judged.set(file.path, before)
    else if (isOurs) await unlink(path)
    else if (await exists(path)) await keepAway(path, join(kept, file.path))
  }
  for (const { path, kept_as } of proof.replaced) {
    if (!(await exists(join(layout.root, kept_as)))) continue
    const target = join(layout.root, path)
    await keepUnless(judged.get(path), target, join(kept, path))
    await flushKept(kept)
    await rename(join(layout.root, kept_as), target)
  }
  for (const folder of new Set(proof.replaced.map(({ kept_as }) => dirname(join(layout.root, kept_as))))) {
    if (await exists(folder)) await syncFolder(folder)
  }
  // What went away has its new name on the disk before it loses its old one there.
  await flushKept(kept)
  if (await exists(layout.arrays)) await syncFolder(layout.arrays)
}

/** The names of what is kept, and that of the folder itself: without it a power cut would take everything inside along. */
const flushKept = async (kept: string): Promise<void> => {
  if (!(await exists(kept))) return
  await syncFolder(kept)
  await syncFolder(dirname(kept))
}

const keep = async (path: string, as: string): Promise<void> => {
  if (!(await exists(path)) || (await isSameInode(path, as))) return
  await makeFolder(dirname(as))
  await linkOrMove(path, await freeName(as))
  await syncFolder(dirname(as))
}

/** The logs first, beside the name that their store gets: one that stayed could be replayed into another store. */
const keepSqlite = async (layout: Layout, kept: string): Promise<void> => {
  const as = await freeName(join(kept, 'store.sqlite'))
  for (const ending of ['-wal', '-shm', '']) {
    const path = join(layout.root, `store.sqlite${ending}`)
    if (await exists(path)) await keepAway(path, `${as}${ending}`)
  }
}

const keepAway = async (path: string, as: string): Promise<void> => {
  await makeFolder(dirname(as))
  await rename(path, await freeName(as))
  await syncFolder(dirname(as))
}

/** Keeps the file unless it is still the one that was judged to be the migration's own. */
const keepUnless = async (own: string | null | undefined, path: string, as: string): Promise<void> => {
  if ((await exists(path)) && (await identityOf(path)) !== own) await keepAway(path, as)
}

const freeName = async (path: string): Promise<string> => {
  for (let number = 1; ; number++) {
    const name = number === 1 ? path : `${path}.${number}`
    if (!(await exists(name))) return name
  }
}

/** Whether a path holds exactly these bytes. Read by a child process: the store may be attached here, to keep writers out. */
const isFile = async (path: string, expected: { bytes: number; sha256: string }): Promise<boolean> => {
  if (!(await exists(path))) return false
  const { bytes } = await markWithoutHash(path)
  return bytes === expected.bytes && (await hashAttachedFile(path)) === expected.sha256
}

const missingProof = (folder: string) =>
  new StorageError('proof_not_found', 'The proof of the migration that is being rolled back is missing. Nothing more was changed.', {
    path: folder,
    hint: 'Restore migration-proof.json from a backup and open the workspace again.',
  })
