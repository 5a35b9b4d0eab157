import { isSameMetric, metricDirection, metricKey, type RemoveBottomGroup, type RemoveBottomReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import { StorageError } from '../errors.ts'
import { describeGroups } from './bottom-groups.ts'
import { columnOr, idsOf, type OpenWorkspace, type RequestOf, storeAlias } from './maintenance-workspace.ts'
import type { Outcome } from './plan-removal.ts'
import { selectRows } from './select-rows.ts'
import { countSelection } from './selection.ts'

type BottomRequest = RequestOf<'remove_bottom'>
export type RankDirection = RemoveBottomGroup['direction']

/**
 * The worst share of the cross-validation predictions of one partition, per dataset, metric and task type, and with each its siblings: the
 * other partitions (and `_agg` twins) of the same model and fold. Refits and whatever is starred are neither ranked nor removed. Scores
 * that are not finite are the worst; the best finite one of a group always stays. A direction that is given goes for the metrics whose
 * direction is unknown, never for others. Throws `metric_direction_unknown`, and `validation` when it contradicts that of a named metric.
 */
export const planBottom = async (open: OpenWorkspace, request: BottomRequest): Promise<Outcome<RemoveBottomReport>> => {
  refuseReversed(request)
  await collectUnits(open, request)
  await chooseDirections(open, request)
  await rank(open, request)
  const keys = await idsOf(open, goingIds)
  const selection = await selectRows(open, { seeds: [{ table: 'predictions', keys }], prune: 'pipelines' })
  const groups = await describeGroups(open)
  const { n } = await open.engine.one(
    z.object({ n: z.number() }),
    `SELECT count(*) AS n FROM ${storeAlias}.main.predictions ${inDataset(request)}`,
    parametersOf(request),
  )
  const { starred } = await open.engine.one(z.object({ starred: z.number() }), 'SELECT count(*) AS starred FROM units WHERE starred')
  const removed = countSelection(selection).predictions
  const [only] = groups
  return {
    selection,
    report: {
      removed,
      remaining: n - removed,
      threshold_score: groups.length === 1 ? (only?.threshold_score ?? null) : null,
      groups,
      starred_kept: starred,
    },
    warnings: [],
  }
}

const inDataset = ({ dataset_name }: BottomRequest): string => (dataset_name === undefined ? '' : 'WHERE dataset_name = $dataset')
const parametersOf = ({ dataset_name }: BottomRequest): Record<string, string> =>
  dataset_name === undefined ? {} : { dataset: dataset_name }

/** `units`: predictions outside of refits, with the model and fold that they belong to; `_agg` twins belong to their fold. */
const collectUnits = async (open: OpenWorkspace, request: BottomRequest): Promise<void> => {
  const column = (name: string) => columnOr(open, 'predictions', name)
  await open.engine.run('CREATE OR REPLACE TEMP TABLE starred (id VARCHAR)')
  await appendColumns(open.engine, { alias: 'temp', table: 'starred' }, [{ type: 'varchar', values: open.stars.ids }])
  const unit = `[dataset_name, pipeline_id, ${column('chain_id')}, model_name, regexp_replace(fold_id, '_agg$', ''), ${column('branch_id')}::VARCHAR]`
  await open.engine.run(
    `CREATE OR REPLACE TEMP TABLE units AS SELECT prediction_id, dataset_name, metric, task_type, "partition" AS part,
       try_cast(${request.partition}_score AS DOUBLE) AS score, ends_with(fold_id, '_agg') AS twin, to_json(${unit})::VARCHAR AS unit,
       (prediction_id IN (SELECT id FROM starred) OR coalesce(${column('chain_id')} IN (SELECT id FROM starred), false)) AS starred
     FROM ${storeAlias}.main.predictions
     WHERE ${column('refit_context')} IS NULL AND fold_id NOT IN ('final', 'final_agg')
       ${request.dataset_name === undefined ? '' : 'AND dataset_name = $dataset'}`,
    parametersOf(request),
  )
}

const refuseReversed = ({ metric, direction }: BottomRequest): void => {
  if (metric === undefined || direction === undefined || !namesOne(metric)) return
  const known = metricDirection(metric)
  if (known === 'unknown' || known === direction) return
  throw new StorageError('validation', `For ${metric} ${inWords[known]} is better, not ${inWords[direction]}. Nothing was removed.`, {
    hint: 'Leave the direction out: it is for metrics whose direction is unknown.',
  })
}

const inWords = { higher: 'more', lower: 'less', zero: 'nearer to zero' } as const

/** `directions`: the metrics to rank, which way, and as what: all spellings of one metric are ranked together, under the first of them. */
const chooseDirections = async (open: OpenWorkspace, request: BottomRequest): Promise<void> => {
  const rows = await open.engine.rows(z.object({ metric: z.string() }), 'SELECT DISTINCT metric FROM units WHERE part = $part ORDER BY 1', {
    part: request.partition,
  })
  const chosen = rows.map(({ metric }) => metric).filter((metric) => isWanted(metric, request.metric))
  const directions = chosen.map((metric) => directionOf(metric, request.direction))
  const contests = new Map(chosen.toReversed().map((metric) => [metricKey(metric), metric]))
  await open.engine.run('CREATE OR REPLACE TEMP TABLE directions (metric VARCHAR, direction VARCHAR, contest VARCHAR)')
  await appendColumns(open.engine, { alias: 'temp', table: 'directions' }, [
    { type: 'varchar', values: chosen },
    { type: 'varchar', values: directions },
    { type: 'varchar', values: chosen.map((metric) => contests.get(metricKey(metric)) ?? metric) },
  ])
}

const isWanted = (metric: string, wanted: string | undefined): boolean =>
  wanted === undefined || !namesOne(wanted) || isSameMetric(metric, wanted)

const namesOne = (wanted: string): boolean => wanted !== 'val_score'

const directionOf = (metric: string, given: RankDirection | undefined): RankDirection => {
  const known = metricDirection(metric)
  if (known !== 'unknown') return known
  if (given !== undefined) return given
  throw new StorageError('metric_direction_unknown', `Whether more or less ${metric} is better is not known. Nothing was removed.`, {
    hint: 'Say which with the direction, or choose another metric.',
  })
}

/**
 * `ranked`: one row per prediction of the ranked partition. What is marked `goes` is among the last of its group; a unit that holds the
 * best finite score of its group, of its own or of its twin, stays whole.
 */
const rank = async ({ engine }: OpenWorkspace, { fraction, partition }: BottomRequest): Promise<void> => {
  const group = 'PARTITION BY dataset_name, metric, task_type, twin'
  const best = `${group} ORDER BY finite DESC, CASE direction WHEN 'higher' THEN score WHEN 'lower' THEN -score ELSE -abs(score) END DESC NULLS LAST, prediction_id`
  await engine.run(`CREATE OR REPLACE TEMP TABLE ranked AS SELECT *, row_number() OVER (${best}) AS place, count(*) OVER (${group}) AS n FROM (
    SELECT u.* REPLACE (d.contest AS metric), d.direction, coalesce(isfinite(score), false) AS finite FROM units u JOIN directions d USING (metric)
    WHERE part = '${partition}' AND unit NOT IN (SELECT unit FROM units WHERE starred))`)
  await engine.run('ALTER TABLE ranked ADD COLUMN goes BOOLEAN')
  await engine.run(
    `UPDATE ranked SET goes = NOT twin AND place > n - floor(n * $fraction::DOUBLE + 1e-9)
       AND unit NOT IN (SELECT unit FROM ranked WHERE place = 1 AND finite)`,
    { fraction },
  )
}

/** Ranked rows that go, and the rest of their unit unless a ranked row of it stays. */
const goingIds = `SELECT prediction_id AS id FROM ranked WHERE goes
  UNION SELECT prediction_id FROM units WHERE unit IN (SELECT unit FROM ranked WHERE goes)
    AND unit NOT IN (SELECT unit FROM ranked WHERE NOT goes AND NOT twin)
  ORDER BY 1`
