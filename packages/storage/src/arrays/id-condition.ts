import type { ChunkParameter } from '../engine/stream-chunks.ts'

const fewIds = 50

/**
 * A condition on prediction_id. A few ids are compared one by one, which lets DuckDB skip row groups by their minimum and maximum (and
 * use the primary key of the legacy table); many are joined.
 */
export const idCondition = (ids: readonly string[]): { sql: string; parameters: Record<string, ChunkParameter> } => {
  if (ids.length === 0) return { sql: 'false', parameters: {} }
  if (ids.length > fewIds) return { sql: 'prediction_id IN (SELECT unnest($ids))', parameters: { ids } }
  const names = ids.map((_, index) => `id${index}`)
  const parameters = Object.fromEntries(names.map((name, index) => [name, ids[index] ?? '']))
  if (names.length === 1) return { sql: 'prediction_id = $id0', parameters }
  return { sql: `prediction_id IN (${names.map((name) => `$${name}`).join(', ')})`, parameters }
}
