import { join } from 'node:path'
import type { MigrationProof, RollbackReport } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import { hashAttachedFile } from '../files/hash-attached-file.ts'
import { isSameFile, markWithoutHash } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import { checkGiven } from '../options/check-options.ts'
import { callback, flag, jobId, optionsOf } from '../options/option-schemas.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { finishRollback, refuseLinkedRollback } from './finish-rollback.ts'
import type { RollbackOptions } from './job-options.ts'
import { ProgressTracker } from './job-progress.ts'
import { beginJournal } from './journal.ts'
import { keepingWritersOut } from './keep-writers-out.ts'
import { findProof, noProofError } from './proof-file.ts'
import { refuseLayout } from './refuse-layout.ts'
import { underLock } from './under-lock.ts'
import { compactTime, type Layout, layoutOf, placesOf } from './workspace-layout.ts'

const Options = optionsOf<RollbackOptions>({ jobId, force: flag, onProgress: callback })

/**
 * Swaps the original store back, as it was to the byte. Refuses with `changed_since_migration` when the store or an array file is no
 * longer what the migration left; with `force` the newer state is kept in `.nirs-workspace/rolled-back-<time>/`. Removes only files
 * that the migration wrote. Throws `proof_not_found`, `backup_not_found`, `store_locked`.
 */
export const rollbackMigration = async (path: string, options: RollbackOptions): Promise<RollbackReport> => {
  checkGiven(Options, options)
  const { root } = await resolveWorkspace(path)
  const layout = layoutOf(root)
  placesOf(layout, options.jobId)
  await refuseLayout(layout)
  const progress = new ProgressTracker(options.onProgress)
  const job = { jobId: options.jobId, kind: 'rollback', name: 'roll back', untouched, progress }
  return underLock(layout, job, () => rollBack(layout, options, progress))
}

const untouched = 'If it had begun, it is finished when the workspace is next opened for writing; the original is kept.'

const rollBack = async (layout: Layout, options: RollbackOptions, progress: ProgressTracker): Promise<RollbackReport> => {
  const found = await findProof(layout)
  if (found === null) throw await noProofError(layout)
  const { proof } = found
  await refuseLinkedRollback(layout, proof)
  return keepingWritersOut(layout, options.force === true, async () => {
    progress.expect(
      [],
      0,
      [...originals(proof), proof.store, ...proof.files].reduce((sum, { bytes }) => sum + bytes, 0),
      0,
    )
    progress.phase('verify', 'Checking the original and what has changed since')
    const onRead = (bytes: number): void => progress.rows([], 0, bytes)
    await checkOriginal(layout, proof, onRead)
    const changed = await changesSince(layout, proof, onRead)
    if (changed.length > 0 && options.force !== true) throw hasChanged(changed)
    progress.phase('commit', 'Putting the original back')
    const now = new Date()
    const kept = `.nirs-workspace/rolled-back-${compactTime(now)}`
    const journal = {
      format: 'nirs-workspace/journal/1',
      kind: 'rollback',
      job_id: options.jobId,
      phase: 'commit',
      started_at: now.toISOString(),
      migration: proof.job_id,
      kept,
    } as const
    await beginJournal(layout, journal)
    const keptAt = await finishRollback(layout, journal)
    progress.phase('done', 'Rolled back')
    return { restored_from: join(layout.root, proof.original.path), kept_newer_state_at: keptAt }
  })
}

const originals = ({ original }: MigrationProof) => [original, ...(original.wal === null ? [] : [original.wal])]

type OnRead = (bytes: number) => void

const checkOriginal = async (layout: Layout, proof: MigrationProof, onRead: OnRead): Promise<void> => {
  for (const file of originals(proof)) {
    const path = join(layout.root, file.path)
    if (!(await exists(path))) throw noBackup(file.path)
    const { bytes } = await markWithoutHash(path)
    if (bytes !== file.bytes || (await hashAttachedFile(path)) !== file.sha256) throw damagedBackup(file.path)
    onRead(bytes)
  }
  // A deletion of the backup that was stopped takes these first; to the steps of a roll back a missing one is one that is back.
  for (const { kept_as } of proof.replaced) if (!(await exists(join(layout.root, kept_as)))) throw noBackup(kept_as)
}

/** Paths, relative to the workspace, that are no longer what the migration left. */
const changesSince = async (layout: Layout, proof: MigrationProof, onRead: OnRead): Promise<string[]> => {
  const changed: string[] = []
  const isSameStore =
    (await exists(layout.store)) &&
    (await markWithoutHash(layout.store)).bytes === proof.store.bytes &&
    (await hashAttachedFile(layout.store)) === proof.store.sha256
  if (!isSameStore) changed.push('store.duckdb')
  onRead(proof.store.bytes)
  for (const name of ['store.duckdb.wal', 'store.sqlite']) if (await exists(join(layout.root, name))) changed.push(name)
  for (const file of proof.files) {
    if (!(await isSameFile(join(layout.root, file.path), { ...file, mtime_ns: '' }))) changed.push(file.path)
    onRead(file.bytes)
  }
  return changed
}

const noBackup = (name: string) =>
  new StorageError('backup_not_found', `${name} is no longer there. Nothing was changed.`, {
    path: name,
    hint: 'Put the file back to roll back.',
  })

const damagedBackup = (name: string) =>
  new StorageError('backup_not_found', `${name} is not what it was when it was kept. Nothing was changed.`, {
    path: name,
    hint: 'Restore the file from another backup to roll back.',
  })

const hasChanged = (paths: readonly string[]) =>
  new StorageError('changed_since_migration', `Changed since the migration: ${paths.slice(0, 5).join(', ')}. Nothing was changed now.`, {
    hint: 'Roll back all the same (`rollback --force`) to get the original; the newer state is then kept beside it.',
    ids: paths,
  })
