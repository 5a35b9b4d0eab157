import * as z from 'zod'
import { Finding } from './workspace.ts'

export const VerifyReport = z.object({
  passed: z.boolean(),
  depth: z.enum(['quick', 'deep']),
  rows_checked: z.number().int(),
  bytes_checked: z.number(),
  duration_seconds: z.number(),
  findings: z.array(Finding),
  /** Whether the migration proof was found and still holds; null without a proof. */
  proof_holds: z.boolean().nullable(),
})
export type VerifyReport = z.infer<typeof VerifyReport>
