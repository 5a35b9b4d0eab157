import { isErrorCode, SqlResult } from '@nirs-workspace/types'
import * as z from 'zod'

/** Where arrays lie: absolute paths. */
export const Places = z.object({
  root: z.string(),
  duckdb: z.string().nullable(),
  bak: z.string().nullable(),
  arrays: z.string().nullable(),
})

/** What the process that runs a query is told. */
export const QueryRequest = z.object({
  catalog: z.string(),
  sql: z.string(),
  /** Null: there is no table `samples`. */
  places: Places.nullable(),
  memory_mb: z.number(),
  rows: z.number(),
  bytes: z.number(),
})
export type QueryRequest = z.infer<typeof QueryRequest>

/** What it answers, once. */
export const QueryAnswer = z.union([
  z.object({ result: SqlResult }),
  z.object({ error: z.object({ code: z.string().refine(isErrorCode), message: z.string(), hint: z.string().optional() }) }),
])
export type QueryAnswer = z.infer<typeof QueryAnswer>
