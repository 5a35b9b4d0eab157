import { metricDirection } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Lane } from '../engine/engine-lane.ts'
import { type FileSummary, summaryVersion } from '../parquet/own-metadata.ts'
import { hasColumn, type SourceTables, sourceTable } from './source-tables.ts'
import type { StagedFile } from './staged-file.ts'

const facetColumns = ['model_name', 'fold_id', 'partition', 'task_type', 'metric', 'branch_name', 'refit_context'] as const
const topRows = 5
const mostFacetValues = 200

/** The summary for the footer of a written file: its rows with what the store knows of them. */
export const summariseFile = async (lane: Lane, tables: SourceTables, file: StagedFile, relation: string): Promise<FileSummary> => {
  const column = (name: string, type = 'VARCHAR') => (hasColumn(tables, 'predictions', name) ? `p.${name}` : `NULL::${type}`)
  await lane.run(`CREATE OR REPLACE TABLE memory.main.summarised AS
    SELECT f.prediction_id, coalesce(f.dataset_name, '') AS dataset_name, coalesce(f.model_name, '') AS model_name,
      coalesce(f.fold_id, '') AS fold_id, f.partition, f.task_type, f.metric, f.val_score,
      ${column('branch_name')} AS branch_name, ${column('refit_context')} AS refit_context, ${column('created_at', 'TIMESTAMP')} AS created_at
    FROM ${relation} f LEFT JOIN ${sourceTable('predictions')} p ON p.prediction_id = f.prediction_id`)
  const datasets = await lane.rows(
    Counted,
    `SELECT dataset_name AS name, count(*) AS rows FROM memory.main.summarised GROUP BY ALL ORDER BY ALL`,
  )
  const dates = await lane.one(
    z.object({ first: z.string().nullable(), last: z.string().nullable() }),
    'SELECT min(created_at)::VARCHAR AS first, max(created_at)::VARCHAR AS last FROM memory.main.summarised',
  )
  const refits = await lane.rows(
    z.object({ prediction_id: z.string(), dataset_name: z.string() }),
    `SELECT prediction_id, dataset_name FROM memory.main.summarised WHERE refit_context IS NOT NULL AND NOT starts_with(fold_id, 'final') ORDER BY ALL`,
  )
  const [facets, metrics] = [await facetCounts(lane), await metricFigures(lane)]
  return { version: summaryVersion, rows: file.rows, datasets, facets, metrics, created_at: dates, context_exact: true, refits }
}

/** Cross-validation rows of the val partition: no refit, no aggregate over repetitions. */
const isRanked = `"partition" = 'val' AND refit_context IS NULL AND isfinite(val_score) AND NOT starts_with(fold_id, 'final')
  AND NOT ends_with(fold_id, '_agg')`

const Counted = z.object({ name: z.string(), rows: z.number() })

/** How often each value of each facet occurs, most first; the 200 most frequent ones. */
const facetCounts = async (lane: Lane): Promise<FileSummary['facets']> => {
  const columns = facetColumns.join(', ')
  const counted = await lane.rows(
    Counted.extend({ facet: z.string() }),
    `SELECT facet, name, count(*) AS rows FROM (UNPIVOT (SELECT ${columns} FROM memory.main.summarised) ON ${columns} INTO NAME facet VALUE name)
     GROUP BY facet, name QUALIFY row_number() OVER (PARTITION BY facet ORDER BY count(*) DESC, name) <= ${mostFacetValues}
     ORDER BY facet, rows DESC, name`,
  )
  const facets: FileSummary['facets'] = Object.fromEntries(facetColumns.map((facet) => [facet, {}]))
  for (const { facet, name, rows } of counted) Object.assign(facets[facet] ?? {}, { [name]: rows })
  return facets
}

const metricFigures = async (lane: Lane): Promise<FileSummary['metrics']> => {
  const figures = await lane.rows(
    z.object({
      metric: z.string(),
      rows: z.number(),
      not_finite: z.number(),
      values: z.number(),
      min: z.number().nullable(),
      max: z.number().nullable(),
      mean: z.number().nullable(),
    }),
    `SELECT metric, count(*) AS rows, count(*) FILTER (NOT coalesce(isfinite(val_score), false)) AS not_finite,
       count(*) FILTER (${isRanked}) AS values, min(val_score) FILTER (${isRanked}) AS min, max(val_score) FILTER (${isRanked}) AS max,
       CASE WHEN isfinite(avg(val_score) FILTER (${isRanked})) THEN avg(val_score) FILTER (${isRanked}) END AS mean
     FROM memory.main.summarised WHERE metric IS NOT NULL GROUP BY metric ORDER BY metric`,
  )
  return Promise.all(figures.map(async (row) => ({ ...row, direction: metricDirection(row.metric), top: await topOf(lane, row.metric) })))
}

const topOf = async (lane: Lane, metric: string) => {
  const direction = metricDirection(metric)
  if (direction === 'unknown') return []
  const order = { higher: 'val_score DESC', lower: 'val_score', zero: 'abs(val_score)' }[direction]
  return lane.rows(
    z.object({
      prediction_id: z.string(),
      dataset_name: z.string(),
      model_name: z.string(),
      fold_id: z.string(),
      val_score: z.number(),
    }),
    `SELECT prediction_id, dataset_name, model_name, fold_id, val_score FROM memory.main.summarised
     WHERE metric = $metric AND ${isRanked}
     ORDER BY ${order}, prediction_id LIMIT ${topRows}`,
    { metric },
  )
}
