import * as z from 'zod'
import { type ErrorCode, errorCodes } from './error-code.ts'

const codes = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]

/** Who holds a store: the process id comes from DuckDB's own message or from our lock file. */
export const LockHolder = z.object({ pid: z.number().int(), command: z.string().optional(), since: z.string().optional() })
export type LockHolder = z.infer<typeof LockHolder>

/** RFC 9457 problem details, the only error body there is. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(codes),
  detail: z.string(),
  request_id: z.string(),
  hint: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  locked_by: LockHolder.optional(),
  job_id: z.string().optional(),
})
export type Problem = z.infer<typeof Problem>
