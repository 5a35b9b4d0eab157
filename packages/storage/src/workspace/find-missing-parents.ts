import * as z from 'zod'
import { counted } from './counted-text.ts'
import type { InspectionFinding } from './finding.ts'

/** Rows that name a parent which the store does not have, or name none where they must: stores without foreign keys can hold such. */
export const MissingParent = z.object({ kind: z.string(), id: z.string() })
export type MissingParent = z.infer<typeof MissingParent>

const references = [
  { table: 'pipelines', key: 'pipeline_id', column: 'run_id', parent: 'runs', mayBeNull: false },
  { table: 'chains', key: 'chain_id', column: 'pipeline_id', parent: 'pipelines', mayBeNull: false },
  { table: 'predictions', key: 'prediction_id', column: 'pipeline_id', parent: 'pipelines', mayBeNull: false },
  { table: 'predictions', key: 'prediction_id', column: 'chain_id', parent: 'chains', mayBeNull: true },
  { table: 'logs', key: 'log_id', column: 'pipeline_id', parent: 'pipelines', mayBeNull: false },
] as const

/** A query for rows of `MissingParent` that DuckDB and SQLite both understand. */
export const missingParentsSql = (has: (table: string, column: string) => boolean, relation: (table: string) => string): string => {
  const parts = references.map(({ table, key, column, parent, mayBeNull }) => {
    if (!has(table, key) || !has(table, column)) return nothing
    const known = has(parent, column)
      ? `SELECT ${text(column)} FROM ${relation(parent)} WHERE ${column} IS NOT NULL`
      : "SELECT '' WHERE false"
    const isMissing = `${text(column)} NOT IN (${known})`
    const condition = mayBeNull ? `${column} IS NOT NULL AND ${isMissing}` : `${column} IS NULL OR ${isMissing}`
    return `SELECT '${table}' AS kind, coalesce(${text(key)}, '') AS id FROM ${relation(table)} WHERE ${condition}`
  })
  return `${parts.join(' UNION ')} ORDER BY kind, id`
}

const nothing = "SELECT '' AS kind, '' AS id WHERE false"
const text = (column: string): string => `CAST(${column} AS VARCHAR)`

/** `The store lacks the run, pipeline or chain of 2 predictions (a, b)`. */
export const describeMissing = (rows: readonly MissingParent[]): string => {
  const groups = Map.groupBy(rows, ({ kind }) => kind)
  const named = [...groups].map(([kind, of]) => {
    const ids = of.slice(0, 5).map(({ id }) => id)
    return `${counted(of.length, kind.slice(0, -1), kind)} (${ids.join(', ')}${of.length > ids.length ? ', …' : ''})`
  })
  return `The store lacks the run, pipeline or chain of ${new Intl.ListFormat('en').format(named)}`
}

export const missingParentsFinding = (rows: readonly MissingParent[]): InspectionFinding[] => {
  if (rows.length === 0) return []
  const detail = `${describeMissing(rows)}. They are shown without it.`
  return [{ code: 'missing_parents', severity: 'warning', count: rows.length, detail, ids: rows.map(({ id }) => id) }]
}
