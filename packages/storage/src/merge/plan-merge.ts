import { type MergePlan, MergeStrategy } from '@nirs-workspace/types'
import * as z from 'zod'
import { checkGiven, checkTexts } from '../options/check-options.ts'
import { flag, maybeCount, maybeText, optionsOf, signal, text } from '../options/option-schemas.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { countRemapped, countRows, countSource, listConflicts, listDatasetsMerged } from './count-merge.ts'
import { type MergeRequest, type OpenMerge, withMerge } from './open-merge.ts'
import { refuseNested } from './refuse-nested.ts'
import { ofSource } from './source-views.ts'
import { resolveTarget } from './target-workspace.ts'

export interface PlanMergeOptions extends Partial<MergeRequest> {
  /** The target may be a path where nothing is yet. Default false. */
  readonly create?: boolean | undefined
  /** Which of the conflicts to list. Default: the first 1 000. */
  readonly conflictLimit?: number | undefined
  readonly conflictOffset?: number | undefined
}

export const requestShape = {
  cacheFolder: maybeText,
  onConflict: MergeStrategy.optional(),
  datasets: z.array(text).nullish(),
  signal,
  create: flag,
}
const Options = optionsOf<PlanMergeOptions>({ ...requestShape, conflictLimit: maybeCount, conflictOffset: maybeCount })

/**
 * What merging the sources, in this order, into the target would do. Nothing is written in any workspace. Throws `not_migrated` for a target
 * whose arrays are still in its store, and what `withMerge` throws.
 */
export const planMerge = async (target: string, sources: readonly string[], options: PlanMergeOptions = {}): Promise<MergePlan> => {
  checkGiven(Options, options)
  checkTexts('sources', sources)
  const found = await resolveTarget(target, options.create === true)
  await refuseNested(found.path, sources)
  return withMerge(found.resolved, sources, requestOf(options), (merge) => describePlan(merge, found, options))
}

export const requestOf = ({ onConflict = 'keep_best', datasets = null, cacheFolder, signal }: Partial<MergeRequest>): MergeRequest => ({
  onConflict,
  datasets,
  cacheFolder,
  signal,
})

const describePlan = async (
  merge: OpenMerge,
  target: { path: string; resolved: ResolvedWorkspace | null },
  { conflictLimit = 1000, conflictOffset = 0 }: PlanMergeOptions,
): Promise<MergePlan> => {
  const { total, conflicts } = await listConflicts(merge, { limit: conflictLimit, offset: conflictOffset })
  const sources = []
  for (const source of merge.sources) sources.push(await countSource(merge.engine, source))
  return {
    plan_id: merge.digest,
    target: target.path,
    creates_target: target.resolved === null,
    on_conflict: merge.request.onConflict,
    datasets: merge.request.datasets === null ? null : [...merge.request.datasets],
    sources,
    rows: await countRows(merge),
    remapped: await countRemapped(merge),
    datasets_merged: await listDatasetsMerged(merge),
    conflicts_total: total,
    conflicts,
    warnings: await warningsOf(merge),
  }
}

/** What a person should know before and after. */
export const warningsOf = async ({ engine, sources, losses, request }: OpenMerge): Promise<string[]> => {
  const warnings = [...losses]
  for (const { index, resolved } of sources) {
    const { undecided, copies } = await engine.one(
      z.object({ undecided: z.number(), copies: z.number() }),
      `SELECT (SELECT count(*) FROM ${ofSource(index, 'conflicts')} c JOIN ${ofSource(index, 'matched')} m ON m.natural_key = c.natural_key
         WHERE c.decision = 'keep_both' AND ${isUndecided(request)}) AS undecided, (SELECT count(*) FROM ${ofSource(index, 'copies')}) AS copies`,
    )
    warnings.push(...(await cutLineages(engine, index)).map((text) => `${resolved.name}: ${text}`))
    if (undecided > 0)
      warnings.push(`${resolved.name}: of ${undecided} predictions it is unknown whether ${unknownOf(request)}; both sides stay.`)
    if (copies > 0)
      warnings.push(`${resolved.name}: ${copies} chains come as copies, because a chain holds one prediction per fold and partition.`)
  }
  return warnings
}

const isUndecided = ({ onConflict }: MergeRequest): string => (onConflict === 'keep_latest' ? 'true' : `m.direction = 'unknown'`)

const unknownOf = ({ onConflict }: MergeRequest): string =>
  onConflict === 'keep_latest'
    ? 'they are later than those of the other side: some times are UTC, others the local time of a place that no store names'
    : 'more or less of their metric is better'

const Cut = z.object({ runs: z.number(), first: z.array(z.string()).nullable() })

const cutLineages = async (engine: OpenMerge['engine'], source: number): Promise<string[]> => {
  const { runs, first } = await engine.one(
    Cut,
    `SELECT count(cut) AS runs, (list(cut ORDER BY run_id) FILTER (cut IS NOT NULL))[:5] AS first FROM ${ofSource(source, 'lineage')}`,
  )
  if (runs === 0) return []
  const names = `${(first ?? []).join(', ')}${runs > 5 ? ' …' : ''}`
  return [
    `what ${runs === 1 ? 'a run was' : `${runs} runs were`} made from does not come and the target uses its id for something else; the lineage no longer names it: ${names}.`,
  ]
}
