import { type RemoveBottomGroup, toWireNumber, toWireNumberOrNull } from '@nirs-workspace/types'
import * as z from 'zod'
import type { OpenWorkspace } from './maintenance-workspace.ts'

const bins = 20

const Name = { dataset_name: z.string(), metric: z.string(), task_type: z.string() }
const Group = z.object({
  ...Name,
  direction: z.enum(['higher', 'lower', 'zero']),
  ranked: z.number(),
  ranked_removed: z.number(),
  not_finite: z.number(),
  threshold: z.number().nullable(),
  best_id: z.string().nullable(),
  best_score: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
})
const Bin = z.object({ ...Name, bin: z.number(), n: z.number() })

/** What happens to every ranked group: the temporary table `ranked` in short. Twins are no group of their own. */
export const describeGroups = async ({ engine }: OpenWorkspace): Promise<RemoveBottomGroup[]> => {
  const groups = await engine.rows(
    Group,
    `SELECT dataset_name, metric, task_type, min(direction) AS direction, count(*) AS ranked, count(*) FILTER (goes) AS ranked_removed,
       count(*) FILTER (NOT finite) AS not_finite, arg_min(score, place) FILTER (goes AND finite) AS threshold,
       arg_min(prediction_id, place) FILTER (finite) AS best_id, arg_min(score, place) FILTER (finite) AS best_score,
       min(score) FILTER (finite) AS low, max(score) FILTER (finite) AS high
     FROM ranked WHERE NOT twin GROUP BY dataset_name, metric, task_type ORDER BY dataset_name, metric, task_type`,
  )
  // Halves, since the difference of two finite scores may be infinite.
  const counts = await engine.rows(
    Bin,
    `SELECT dataset_name, metric, task_type, n, bin FROM (
       SELECT dataset_name, metric, task_type, count(*) AS n, bin FROM (
         SELECT *, CASE WHEN high = low THEN 0 ELSE least(${bins - 1}, floor((score / 2 - low / 2) / (high / 2 - low / 2) * ${bins}))::INTEGER END AS bin
         FROM (SELECT *, min(score) OVER g AS low, max(score) OVER g AS high FROM ranked WHERE NOT twin AND finite
           WINDOW g AS (PARTITION BY dataset_name, metric, task_type)))
       GROUP BY ALL)`,
  )
  const byGroup = Map.groupBy(counts, nameOf)
  return groups.map((group) => toGroup(group, byGroup.get(nameOf(group)) ?? []))
}

const nameOf = (group: { dataset_name: string; metric: string; task_type: string }): string =>
  JSON.stringify([group.dataset_name, group.metric, group.task_type])

const toGroup = (group: z.infer<typeof Group>, filled: readonly z.infer<typeof Bin>[]): RemoveBottomGroup => {
  const { dataset_name, metric, task_type, direction, ranked, ranked_removed, not_finite, best_id, best_score, low, high } = group
  const counts = Array.from({ length: bins }, (_, bin) => filled.find((row) => row.bin === bin)?.n ?? 0)
  return {
    dataset_name,
    metric,
    task_type,
    direction,
    ranked,
    ranked_removed,
    not_finite,
    threshold_score: toWireNumberOrNull(group.threshold),
    best: best_id === null || best_score === null ? null : { prediction_id: best_id, score: toWireNumber(best_score) },
    histogram: low === null || high === null ? null : { from: low, to: high, counts },
  }
}
