import * as z from 'zod'

/** A vacuum under way. The new store lies beside the old one until one rename puts it in its place; there is nothing to finish after. */
export const VacuumJournal = z.object({
  format: z.literal('nirs-workspace/journal/1'),
  kind: z.literal('vacuum'),
  job_id: z.string(),
  phase: z.literal('prepare'),
  started_at: z.string(),
})
export type VacuumJournal = z.infer<typeof VacuumJournal>
