import * as z from 'zod'
import { Finding } from './workspace.ts'

export const VerifyReport = z.object({
  passed: z.boolean(),
  depth: z.enum(['quick', 'deep']),
  rows_checked: z.number().int(),
  bytes_checked: z.number(),
  duration_seconds: z.number(),
  findings: z.array(Finding),
  /** Whether the migration proof still holds; null without one, and where a quick check has found nothing against it: it reads no values. */
  proof_holds: z.boolean().nullable(),
})
export type VerifyReport = z.infer<typeof VerifyReport>
