import { join } from 'node:path'
import * as z from 'zod'
import { InsidePath, JobId, OperationId, pathIn } from '../files/inside-names.ts'
import type { Layout } from '../migration/workspace-layout.ts'

const Mark = z.object({ bytes: z.number(), mtime_ns: z.string(), sha256: z.string() })

/** A file that the merge puts into the workspace. Paths are relative to it. */
const placedIn = (folder: 'arrays' | 'artifacts') =>
  z.object({
    staged: InsidePath,
    target: pathIn(folder),
    mark: Mark,
    /** Where the file that had this name before is kept until the end; null when there was none. */
    replaced: pathIn('.nirs-workspace').nullable(),
  })
export type PlacedFile = z.infer<ReturnType<typeof placedIn>>

export const MergeJournal = z.object({
  format: z.literal('nirs-workspace/journal/1'),
  kind: z.literal('merge'),
  job_id: JobId,
  /**
   * prepare: only job-owned places were written. commit: files may have moved; the store tells whether its transaction is done. done: it is,
   * said by the journal where no row can tell.
   */
  phase: z.enum(['prepare', 'commit', 'done']),
  started_at: z.string(),
  arrays_created: z.boolean(),
  artifacts_created: z.boolean(),
  placed: z.array(placedIn('arrays')),
  models: z.array(placedIn('artifacts')),
  /**
   * Rows that the transaction inserts, and predictions that it removes: several, as others may remove some by then. It is done when one of the
   * former is there, or none of the latter where no mark can tell. Null when it changes no row. Journals of before name no key and nothing removed.
   */
  evidence: z
    .object({ table: z.string(), key: z.string().optional(), ids: z.array(z.string()), removed: z.array(z.string()).default([]) })
    .nullable(),
  /**
   * What the transaction writes into the comment of the table of predictions, which nobody else knows: where the store still is a
   * store.duckdb, it is done when that is there, and only then. Journals of before name none.
   */
  mark: z.string().nullable().default(null),
  /** Predictions that gave way and had arrays: these are marked as removed at the end. */
  gone: z.array(z.string()),
  /** Predictions whose arrays come although the list of removed ones has their id: it goes off that list, as the last thing. */
  returned: z.array(z.object({ prediction_id: z.string(), dataset_name: z.string() })).default([]),
  /** The operation in the trash that holds them; null when there is none. */
  trash: OperationId.nullable(),
})
export type MergeJournal = z.infer<typeof MergeJournal>

/** Folders and files that belong to one merge alone; the names of finished merges beside them. Nothing is in arrays/ before the commit. */
export const mergePlaces = (layout: Layout, jobId: string) => {
  const merges = join(layout.control, 'merges')
  const folder = join(merges, jobId)
  return {
    staging: join(folder, 'arrays'),
    merges,
    folder,
    replaced: join(folder, 'replaced'),
    models: join(folder, 'models'),
    tombstones: join(folder, 'tombstones.json'),
    draft: join(folder, 'record.json'),
    record: join(merges, `${jobId}.json`),
    trash: join(layout.control, 'trash'),
  }
}
