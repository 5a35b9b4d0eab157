import type { MergeConflict, MergedSource, MergePlan } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { goneIds } from './match-predictions.ts'
import type { MergeSource, OpenMerge } from './open-merge.ts'
import { arrivals } from './place-predictions.ts'
import { ofSource } from './source-views.ts'

const Counts = z.object({
  predictions_read: z.number(),
  predictions_merged: z.number(),
  already_there: z.number(),
  skipped: z.number(),
  arrays_added: z.number(),
  replaced: z.number(),
})
const Count = z.object({ n: z.number() })

/** Arrays that come for a prediction which the target, or what an earlier source brings, has without. */
export const lacksArrays = `action = 'same' AND fills AND same_id IN (SELECT id FROM memory.main.present WHERE state = 'alive')`

/** Read are as many as merged, there already and skipped together; what all sources replace is what goes to the trash. */
export const countSource = async (engine: Engine, { index, resolved }: MergeSource): Promise<MergedSource> => {
  const counts = await engine.one(
    Counts,
    `SELECT count(*) AS predictions_read, count(*) FILTER (action = 'insert') AS predictions_merged, count(*) FILTER (action = 'same') AS already_there,
       count(*) FILTER (action IN ('skip', 'yield')) AS skipped, count(*) FILTER (${lacksArrays}) AS arrays_added,
       (SELECT count(*) FROM memory.main.present p JOIN memory.main.takers t USING (fold_key) WHERE p.id IN (${goneIds}) AND t.source = ${index}) AS replaced FROM ${ofSource(index, 'matched')}`,
  )
  return { path: resolved.parquet ?? resolved.root, ...counts }
}

/** Rows that will be inserted, per table; copies of chains among them. */
export const countRows = async ({ engine, sources }: OpenMerge): Promise<MergePlan['rows']> => {
  const parts = sources.flatMap(({ index }) => [
    `SELECT tbl FROM ${ofSource(index, 'map')} WHERE action = 'insert'`,
    `SELECT 'chains' FROM ${ofSource(index, 'copies')}`,
  ])
  const rows = await engine.rows(
    z.object({ tbl: z.string(), n: z.number() }),
    `SELECT tbl, count(*) AS n FROM (${parts.join(' UNION ALL ')}) GROUP BY tbl`,
  )
  const of = (table: string) => rows.find(({ tbl }) => tbl === table)?.n ?? 0
  return {
    projects: of('projects'),
    runs: of('runs'),
    pipelines: of('pipelines'),
    chains: of('chains'),
    artifacts: of('artifacts'),
    logs: of('logs'),
  }
}

export const countRemapped = async ({ engine, sources }: OpenMerge): Promise<number> => {
  const parts = sources.flatMap(({ index }) => [
    `SELECT 1 FROM ${ofSource(index, 'map')} WHERE action = 'insert' AND old_id <> new_id`,
    `SELECT 1 FROM ${ofSource(index, 'matched')} WHERE action = 'insert' AND id <> new_id`,
  ])
  return (await engine.one(Count, `SELECT count(*) AS n FROM (${parts.join(' UNION ALL ')})`)).n
}

/** Datasets of which predictions come, or arrays for predictions that are there. */
export const listDatasetsMerged = async ({ engine, sources }: OpenMerge): Promise<string[]> => {
  const parts = sources.flatMap(({ index }) => [
    `SELECT DISTINCT dataset_name FROM ${arrivals(index)}`,
    `SELECT DISTINCT dataset_name FROM ${ofSource(index, 'matched')} WHERE ${lacksArrays}`,
  ])
  const rows = await engine.rows(z.object({ dataset_name: z.string() }), `${parts.join(' UNION ')} ORDER BY ALL`)
  return rows.map((row) => row.dataset_name)
}

const Conflict = z.object({
  decision: z.enum(['keep_target', 'take_source', 'keep_both', 'later_source']),
  dataset_name: z.string(),
  model_name: z.string(),
  preprocessings: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  metric: z.string(),
  source_ids: z.array(z.string()),
  target_ids: z.array(z.string()),
})

/** A page of the natural keys that both sides have, and their number over all sources. */
export const listConflicts = async (
  { engine, sources }: OpenMerge,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ total: number; conflicts: MergeConflict[] }> => {
  const conflicts: MergeConflict[] = []
  let total = 0
  for (const { index, resolved } of sources) {
    const { n } = await engine.one(Count, `SELECT count(*) AS n FROM ${ofSource(index, 'conflicts')}`)
    const rows = await engine.rows(
      Conflict,
      `SELECT c.decision, p.dataset_name, p.model_name, p.preprocessings, p.fold_id, p."partition", p.metric, c.source_ids, c.target_ids
       FROM ${ofSource(index, 'conflicts')} c JOIN ${ofSource(index, 'predictions')} p ON p.prediction_id = c.source_ids[1]
       ORDER BY p.dataset_name, p.prediction_id LIMIT ${Math.max(0, limit - conflicts.length)} OFFSET ${Math.max(0, offset - total)}`,
    )
    conflicts.push(...rows.map((row) => ({ source: resolved.parquet ?? resolved.root, ...row })))
    total += n
  }
  return { total, conflicts }
}
