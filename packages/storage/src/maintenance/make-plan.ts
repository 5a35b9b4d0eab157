import { createHash } from 'node:crypto'
import {
  type MaintenanceInput,
  type MaintenanceItem,
  MaintenancePlan,
  type MaintenanceReport,
  MaintenanceRequest,
} from '@nirs-workspace/types'
import { readTombstones } from '../arrays/tombstones.ts'
import { appendColumns } from '../engine/append-columns.ts'
import { parseGiven } from '../options/check-options.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { type OpenWorkspace, resolveMaintained, storeAlias, withPlanning } from './maintenance-workspace.ts'
import { planBottom } from './plan-bottom.ts'
import { planClean, refuseUnrescued } from './plan-clean.ts'
import { planCompact } from './plan-compact.ts'
import { planArtifactGc } from './plan-gc.ts'
import { type Outcome, planDataset, planLineage, planPredictions } from './plan-removal.ts'
import { readTexts } from './read-texts.ts'
import { requireScope } from './require-scope.ts'
import { refuseRowsInUse } from './rows-in-use.ts'
import { countSelection, itemsOf, type Selection } from './selection.ts'

/** A plan with everything that it lists; `items` are too many to be sent at once. */
export interface MadePlan extends MaintenancePlan {
  readonly items: readonly MaintenanceItem[]
}

/**
 * What a request would do, from the workspace as it is. Writes nothing and holds the store no longer than that takes. Throws `not_migrated`,
 * `store_locked`, `validation` (also for a metric that no prediction has), `dataset_not_found`, `tombstones_corrupt`, and what else a kind
 * cannot find or read; `store_unsafe` when rows of a table of another program refer to what would go and could not be kept with it,
 * or a trigger works on removals.
 */
export const makePlan = async (path: string, input: MaintenanceInput): Promise<MadePlan> => {
  const request = parseRequest(input)
  const resolved = await resolveMaintained(path)
  if (request.kind === 'clean_dead_links') await refuseUnrescued(resolved)
  const fingerprint = await fingerprintWorkspace(resolved)
  return withPlanning(resolved, new Date(), async (open) => (await workOut(open, request, fingerprint)).plan)
}

export const parseRequest = (input: MaintenanceInput): MaintenanceRequest => parseGiven(MaintenanceRequest, input, { name: 'the request' })

/**
 * Throws `tombstones_corrupt` when the list of removed predictions is damaged: what a plan removes could not be added to it once the rows
 * are gone. Removing models needs no list.
 */
export const refuseDamagedList = async ({ arrays }: ResolvedWorkspace, { kind }: MaintenanceRequest): Promise<void> => {
  if (kind !== 'artifact_gc') await readTombstones(arrays)
}

/** A plan and what it removes. Who opens the workspace for writing gets the same plan from the same state. */
export const workOut = async (
  open: OpenWorkspace,
  request: MaintenanceRequest,
  fingerprint: string,
): Promise<{ plan: MadePlan; selection: Selection }> => {
  await refuseDamagedList(open.resolved, request)
  await requireScope(open, request)
  const { selection, report, warnings } = await outcomeOf(open, request)
  await refuseRowsInUse(open.metadata, selection.tables)
  const items = request.kind === 'compact' ? compactItems(report) : itemsOf(selection, await datasetsOf(open, selection))
  const digest = digestOf({ fingerprint, request, report }, items)
  const plan = {
    plan_id: `${request.kind.replaceAll('_', '-')}-${digest.slice(0, 20)}`,
    kind: request.kind,
    digest,
    fingerprint,
    created_at: open.now.toISOString(),
    request,
    counts: countSelection(selection),
    items_total: items.length,
    report,
    warnings: [...warnings],
    items,
  }
  return { plan, selection }
}

const outcomeOf = (open: OpenWorkspace, request: MaintenanceRequest): Promise<Outcome<MaintenanceReport>> => {
  switch (request.kind) {
    case 'clean_dead_links':
      return planClean(open, request)
    case 'remove_bottom':
      return planBottom(open, request)
    case 'remove_dataset':
      return planDataset(open, request)
    case 'remove_predictions':
      return planPredictions(open, request)
    case 'compact':
      return planCompact(open, request)
    case 'artifact_gc':
      return planArtifactGc(open, request)
    default:
      return planLineage(open, request)
  }
}

/** A dataset per line: what goes are rows of files, which have no id of their own. */
const compactItems = (report: MaintenanceReport): MaintenanceItem[] =>
  'datasets' in report
    ? Object.entries(report.datasets)
        .filter(([, { rows_removed }]) => rows_removed > 0)
        .map(([name, { rows_removed }]) => ({ what: 'array_file', table: null, id: `${rows_removed} rows`, dataset_name: name }))
    : []

const datasetsOf = async ({ engine }: OpenWorkspace, selection: Selection): Promise<(id: string) => string | null> => {
  const predictions = selection.tables.find(({ table }) => table === 'predictions')?.keys ?? []
  const names = new Map<string, string>()
  if (predictions.length + selection.arrays.length === 0) return () => null
  await engine.run('CREATE OR REPLACE TEMP TABLE listed_ids (id VARCHAR)')
  for (const values of [predictions, selection.arrays]) {
    await appendColumns(engine, { alias: 'temp', table: 'listed_ids' }, [{ type: 'varchar', values }])
  }
  // The name that the metadata has counts; it comes last.
  const sources = [
    'SELECT prediction_id, any_value(dataset_name) FROM array_rows WHERE prediction_id IN (SELECT id FROM listed_ids) GROUP BY 1',
    `SELECT prediction_id, dataset_name FROM ${storeAlias}.main.predictions WHERE prediction_id IN (SELECT id FROM listed_ids)`,
  ]
  for (const sql of sources) {
    for await (const [ids = [], datasets = []] of readTexts(engine, sql)) {
      ids.forEach((id, row) => {
        if (id !== null) names.set(id, datasets[row] ?? '')
      })
    }
  }
  return (id) => names.get(id) ?? null
}

const digestOf = (state: Readonly<Record<string, unknown>>, items: readonly MaintenanceItem[]): string => {
  const hash = createHash('sha256').update(JSON.stringify(state))
  for (const item of items) hash.update(JSON.stringify(item))
  return hash.digest('hex')
}

/** The plan without its items, as it travels. */
export const withoutItems = (plan: MadePlan): MaintenancePlan => MaintenancePlan.parse(plan)
