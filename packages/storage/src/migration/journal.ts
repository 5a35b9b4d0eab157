import { dirname } from 'node:path'
import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { syncFolder, unlink } from '../files/disk.ts'
import { InsidePath, JobId, KeptLog, KeptOriginal, KeptState, pathIn } from '../files/inside-names.ts'
import { exists } from '../files/move-file.ts'
import { readText } from '../files/read-text.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { jsonOrNull } from '../json/json-or-null.ts'
import { RemovalJournal, RestoreJournal } from '../maintenance/removal-journal.ts'
import { MergeJournal } from '../merge/merge-journal.ts'
import { FlushJournal } from '../store/flush-journal-schema.ts'
import { VacuumJournal } from '../vacuum/vacuum-journal.ts'
import type { Layout } from './workspace-layout.ts'

const Mark = z.object({ bytes: z.number(), mtime_ns: z.string(), sha256: z.string() })

/** A file that the migration puts into arrays/. Paths are relative to the workspace. */
const Placed = z.object({
  staged: InsidePath,
  target: pathIn('arrays'),
  mark: Mark,
  /** Where the file that had this name before is kept; null when there was none. */
  replaced: pathIn('.nirs-workspace').nullable(),
})
/** A file of arrays/ whose rows are all elsewhere afterwards. */
const Removed = z.object({ target: pathIn('arrays'), replaced: pathIn('.nirs-workspace') })

const MigrateJournal = z.object({
  format: z.literal('nirs-workspace/journal/1'),
  kind: z.literal('migrate'),
  job_id: JobId,
  /** prepare: only job-owned places were written. commit: files may have moved; the new store's own name tells whether the swap is done. */
  phase: z.enum(['prepare', 'commit']),
  started_at: z.string(),
  arrays_created: z.boolean(),
  /** Size and time of the original; an undo takes files away only while it is unchanged. */
  original: z.object({ bytes: z.number(), mtime_ns: z.string(), sha256: z.string().default('') }),
  backup: KeptOriginal,
  /** Name of the kept write-ahead log; null when there was none. */
  backup_wal: KeptLog.nullable(),
  placed: z.array(Placed),
  removed: z.array(Removed),
  /** Ids that go off the list of removed predictions, because their arrays come from the table. */
  unmarked: z.array(z.string()).default([]),
})
export type MigrateJournal = z.infer<typeof MigrateJournal>

const RollbackJournal = z.object({
  format: z.literal('nirs-workspace/journal/1'),
  kind: z.literal('rollback'),
  job_id: JobId,
  phase: z.literal('commit'),
  started_at: z.string(),
  /** Job whose migration is undone. */
  migration: JobId,
  /** Folder for a newer state than the one the migration left, made when needed. */
  kept: KeptState,
})
export type RollbackJournal = z.infer<typeof RollbackJournal>

export const Journal = z.discriminatedUnion('kind', [
  MigrateJournal,
  RollbackJournal,
  MergeJournal,
  RemovalJournal,
  RestoreJournal,
  FlushJournal,
  VacuumJournal,
])
export type Journal = z.infer<typeof Journal>

/** The journal of a job that has not ended; null when there is none. */
export const readJournal = async (layout: Layout): Promise<Journal | null> => {
  const text = await readText(layout.journal)
  if (text === null) return null
  const parsed = Journal.safeParse(jsonOrNull(text))
  if (parsed.success) return parsed.data
  const place = z.core.toDotPath(parsed.error.issues[0]?.path ?? [])
  // A later release may have jobs and forms of its own.
  const reason = ['', 'kind', 'format'].includes(place) ? '' : `: no job writes such a value of ${place}`
  throw new StorageError('interrupted', `The journal of an unfinished job cannot be read${reason}. Nothing was changed.`, {
    path: layout.journal,
    hint: 'Update NIRS Workspace; if that does not help, restore .nirs-workspace/journal.json from a backup. Of a workspace from elsewhere, ask for a copy on which no job was at work.',
  })
}

/** One that could not be read again is not written either: whoever writes it can still take everything back. */
export const writeJournal = async (layout: Layout, journal: Journal): Promise<void> =>
  writeJsonDurably(layout.journal, Journal.parse(journal))

/** The first journal of a job, or none: one whose writing has failed late may be there all the same. */
export const beginJournal = async (layout: Layout, journal: Journal): Promise<void> => {
  try {
    await writeJournal(layout, journal)
  } catch (error) {
    if (await exists(layout.journal)) await removeJournal(layout)
    throw error
  }
}

export const removeJournal = async (layout: Layout): Promise<void> => {
  await unlink(layout.journal)
  await syncFolder(dirname(layout.journal))
}
