import * as z from 'zod'
import { JobId } from '../files/inside-names.ts'

/** A vacuum under way. The new store lies beside the old one until one rename puts it in its place; there is nothing to finish after. */
export const VacuumJournal = z.object({
  format: z.literal('nirs-workspace/journal/1'),
  kind: z.literal('vacuum'),
  job_id: JobId,
  phase: z.literal('prepare'),
  started_at: z.string(),
})
export type VacuumJournal = z.infer<typeof VacuumJournal>
