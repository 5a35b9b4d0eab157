import * as z from 'zod'
import { JobId, OperationId } from '../files/inside-names.ts'

const shared = { format: z.literal('nirs-workspace/journal/1'), job_id: JobId, started_at: z.string() }

/** A removal under way. What it removes stands in the trash, in `contents.json` of the operation. */
export const RemovalJournal = z.object({
  ...shared,
  kind: z.literal('remove'),
  /** prepare: only the trash was written. commit: everything is in the trash; rows may be gone, and the rest follows. */
  phase: z.enum(['prepare', 'commit']),
  operation: OperationId,
})
export type RemovalJournal = z.infer<typeof RemovalJournal>

/** A restore under way. What it brings back stands in `restoring.json` of the operation. */
export const RestoreJournal = z.object({
  ...shared,
  kind: z.literal('restore'),
  /** commit: the evidence tells whether everything is back. done: it is, and the trash may be changing already. */
  phase: z.enum(['commit', 'done']),
  operation: OperationId,
  /**
   * Rows that the transaction brings back: the restore is done when all of them are there. Others may have made some of them by then.
   * Null: it brings back no row, and is done only when its phase says so.
   */
  evidence: z.object({ table: z.string(), keys: z.array(z.string()) }).nullable(),
})
export type RestoreJournal = z.infer<typeof RestoreJournal>
