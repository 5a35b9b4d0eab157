import * as z from 'zod'
import type { EngineParameters } from '../engine/open-engine.ts'
import { parseGiven } from '../options/check-options.ts'
import { isAggregated } from './real-fold.ts'
import { seen } from './store-session.ts'

const oneOrSome = z.union([z.string(), z.array(z.string())]).optional()

/** Values are compared exactly; a list means any of it, and an empty list nothing. */
export const PredictionFilter = z.strictObject({
  dataset_name: oneOrSome,
  model_name: oneOrSome,
  model_class: oneOrSome,
  metric: oneOrSome,
  task_type: oneOrSome,
  partition: oneOrSome,
  fold_id: oneOrSome,
  pipeline_id: oneOrSome,
  chain_id: oneOrSome,
  run_id: oneOrSome,
  branch_id: z.number().int().nullable().optional(),
  /** Only refits, or none of them. */
  refit: z.boolean().optional(),
  /** Only `_agg` twins, or none of them. */
  aggregated: z.boolean().optional(),
})
export type PredictionFilter = z.infer<typeof PredictionFilter>

/** The condition of a filter over `p`. Throws `validation` for a filter that does not exist. */
export const filterSql = (filter: PredictionFilter): { sql: string; parameters: EngineParameters } => {
  const { branch_id, refit, aggregated, ...texts } = parseGiven(PredictionFilter, filter, { name: 'the filter' })
  const parts = ['true']
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(texts)) {
    if (value === undefined) continue
    const column = name === 'run_id' ? `(SELECT run_id FROM ${seen('pipelines')} l WHERE l.pipeline_id = p.pipeline_id)` : `p.${name}`
    const { sql, given } = oneOrSomeOf(column, name, value)
    parameters[name] = given
    parts.push(sql)
  }
  if (branch_id !== undefined) parts.push(branch_id === null ? 'p.branch_id IS NULL' : `p.branch_id = ${branch_id}`)
  const isRefit = "(p.refit_context IS NOT NULL OR p.fold_id IN ('final', 'final_agg'))"
  if (refit !== undefined) parts.push(refit ? isRefit : `NOT ${isRefit}`)
  if (aggregated !== undefined) parts.push(aggregated ? isAggregated : `NOT (${isAggregated})`)
  return { sql: parts.join(' AND '), parameters }
}

/** Blocks of rows without the one text are left out; a list is looked through for every row. */
const oneOrSomeOf = (column: string, name: string, value: string | string[]): { sql: string; given: string } => {
  const [only, ...others] = typeof value === 'string' ? [value] : value
  if (only !== undefined && others.length === 0) return { sql: `${column} = $${name}`, given: only }
  return { sql: `list_contains($${name}::JSON::VARCHAR[], ${column})`, given: JSON.stringify(value) }
}
