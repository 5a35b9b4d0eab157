import { columnOr, type OpenWorkspace } from './maintenance-workspace.ts'

/**
 * A condition on `created_at`: old enough to be finished with. DuckDB stores hold the writer's local time, SQLite ones UTC, neither says
 * which: a row counts as old only if it is by both. Rows without a time are old.
 */
export const createdBefore = (open: OpenWorkspace, table: string, hours: number): string => {
  const limit = open.now.getTime() - hours * 3_600_000
  const local = limit - new Date(limit).getTimezoneOffset() * 60_000
  const earliest = new Date(Math.min(limit, local)).toISOString().slice(0, 23).replace('T', ' ')
  return `coalesce(try_cast(${columnOr(open, table, 'created_at')} AS TIMESTAMP) <= TIMESTAMP '${earliest}', true)`
}
