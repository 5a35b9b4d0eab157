import * as z from 'zod'

/** A value of a result as JSON keeps it: whole numbers beyond 2^53 and non-finite numbers as text, times as text, lists as lists. */
export type SqlCell = string | number | boolean | null | SqlCell[] | { [name: string]: SqlCell }

export const SqlCell: z.ZodType<SqlCell> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(SqlCell), z.record(z.string(), SqlCell)]),
)

/** The answer to a question asked in SQL. `truncated` says that rows were left out: too many, or too many bytes. */
export const SqlResult = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(SqlCell)),
  row_count: z.number().int(),
  truncated: z.boolean(),
  elapsed_ms: z.number(),
})
export type SqlResult = z.infer<typeof SqlResult>
