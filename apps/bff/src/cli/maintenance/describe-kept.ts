import type { ArtifactGcReport, CleanDeadLinksReport, RemoveBottomReport, RemoveDatasetReport } from '@nirs-workspace/types'
import { formatBytes, formatTable, printable } from '../table.ts'
import type { PlanPreview } from './preview-plan.ts'

/** What a plan leaves alone although it might have gone, each with the reason. */
export const describeKept = (plan: PlanPreview): string[] => {
  const { request } = plan
  if ('metadata_orphans_removed' in plan) return keptLinks(plan, request.kind === 'clean_dead_links' && request.include_never_saved)
  if ('groups' in plan) return keptPredictions(plan)
  if ('unregistered_files' in plan) return keptModels(plan, request.kind === 'artifact_gc' && request.include_unregistered)
  if ('datasets' in plan) return []
  if ('parquet_deleted' in plan) return keptOfDataset(plan)
  return withModels
}

const withModels = ['model files: gc removes those that no chain names any more']

const keptOfDataset = ({ parquet_deleted, counts }: PlanPreview & RemoveDatasetReport): string[] => [
  'chains, pipelines and runs that hold predictions of other datasets too',
  ...(!parquet_deleted && counts.arrays > 0 ? ['the array file: other datasets have rows in it'] : []),
  ...withModels,
]

const keptLinks = ({ never_had_arrays, too_young, refused }: CleanDeadLinksReport, isIncluded: boolean): string[] => [
  ...(never_had_arrays > 0 && !isIncluded
    ? [`${never_had_arrays} predictions that were saved without arrays, unless --include-never-saved is given`]
    : []),
  ...(too_young > 0 ? [`${too_young} younger than --grace-hours: another program may be about to write the rest`] : []),
  ...refused.map(({ dataset_name, file }) => `all of ${printable(dataset_name)}: what ${file} holds of it cannot be told`),
]

const keptPredictions = ({ remaining, starred_kept }: RemoveBottomReport): string[] => [
  `${remaining} predictions, the best of every group and all refits among them`,
  ...(starred_kept > 0 ? [`${starred_kept} of these because they are starred`] : []),
  ...withModels,
]

const keptModels = ({ too_young, unregistered_files, unregistered_bytes }: ArtifactGcReport, isIncluded: boolean): string[] => [
  'every model that a chain names',
  ...(too_young > 0 ? [`${too_young} younger than --grace-hours: a chain that names them may be about to be written`] : []),
  ...(unregistered_files > 0 && !isIncluded
    ? [`files that no row names, ${unregistered_files} of ${formatBytes(unregistered_bytes)}, unless --include-unregistered is given`]
    : []),
]

/** The figures of a plan that are more than counts. */
export const describeFigures = (plan: PlanPreview): string => {
  if ('groups' in plan) return describeGroups(plan)
  if (!('datasets' in plan)) return ''
  return formatTable(
    ['dataset', 'rows', 'dropped', 'bytes', 'then about'],
    Object.entries(plan.datasets)
      .filter(([, { rows_removed }]) => rows_removed > 0)
      .map(([name, { rows_before, rows_removed, bytes_before, bytes_after }]) => [
        name,
        rows_before,
        rows_removed,
        formatBytes(bytes_before),
        formatBytes(bytes_after),
      ]),
    { widest: 32 },
  )
}

const describeGroups = ({ groups }: RemoveBottomReport): string =>
  formatTable(
    ['dataset', 'metric', 'ranked', 'go', 'best to go', 'best of all'],
    groups.map(({ dataset_name, metric, ranked, ranked_removed, threshold_score, best }) => [
      dataset_name,
      metric,
      ranked,
      ranked_removed,
      scoreText(threshold_score),
      scoreText(best?.score ?? null),
    ]),
    { widest: 20 },
  )

const scoreText = (score: number | string | null): string => (typeof score === 'number' ? score.toPrecision(5) : (score ?? '-'))
