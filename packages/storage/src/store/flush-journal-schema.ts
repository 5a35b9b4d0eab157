import * as z from 'zod'
import { JobId } from '../files/inside-names.ts'

/** A flush under way that replaces the arrays of known predictions. What they were stands beside it. */
export const FlushJournal = z.object({
  format: z.literal('nirs-workspace/journal/1'),
  kind: z.literal('flush'),
  job_id: JobId,
  phase: z.literal('prepare'),
  started_at: z.string(),
  /** Predictions that have this time of creation once the rows are committed: several, as others may remove some by then. */
  evidence: z.object({
    prediction_ids: z.array(z.string()),
    created_at: z.string(),
    /** Their times of creation until then, in the same order: a row with another one is of somebody else. Earlier releases did not note them. */
    before: z.array(z.string().nullable()).optional(),
  }),
  /** Whether there are arrays to bring back. */
  has_kept: z.boolean(),
  /** Predictions that had none. */
  without: z.array(z.string()),
  /** Predictions whose arrays were marked as removed. Journals of earlier releases count them among those without. */
  marked: z.array(z.string()).optional(),
})
export type FlushJournal = z.infer<typeof FlushJournal>
