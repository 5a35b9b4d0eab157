import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CleanDeadLinksReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import { StorageError } from '../errors.ts'
import { detectStorage } from '../workspace/detect-storage.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { createdBefore } from './created-before.ts'
import { damagedFileOf, damagedInstead, damagedStrangers } from './damaged-files.ts'
import { foreignRowsIn } from './foreign-rows.ts'
import { columnOr, idsOf, type OpenWorkspace, type RequestOf, storeAlias } from './maintenance-workspace.ts'
import type { Outcome } from './plan-removal.ts'
import { selectRows } from './select-rows.ts'

type Refused = CleanDeadLinksReport['refused'][number]

/**
 * Predictions whose arrays are gone, and arrays that belong to no prediction. Left alone: datasets with a file that cannot be read or holds
 * rows under the id of another prediction, those that lack arrays and a file of their name while any file cannot be read, whatever is
 * younger than the grace period, arrays of no prediction while any file cannot be read, and (unless asked for) predictions that were saved
 * without arrays.
 */
export const planClean = async (open: OpenWorkspace, request: RequestOf<'clean_dead_links'>): Promise<Outcome<CleanDeadLinksReport>> => {
  const datasets = await datasetsOf(open)
  const unread = refusedDatasets(open, datasets, new Set(await lackingDatasets(open)))
  const refused = [...unread, ...(await mixedUp(open, new Set(unread.map(({ dataset_name }) => dataset_name))))]
  await fillNames(
    open,
    'refused_datasets',
    refused.map(({ dataset_name }) => dataset_name),
  )
  const dead = await findDead(open, request)
  const found = await findOrphans(open, request)
  // Arrays go by their id from every file: what cannot be read may have rows of them too.
  const hiding = open.index.files.find(({ error }) => error !== null)
  const orphans = hiding === undefined ? found : { ids: [], young: found.young }
  const removed = [...dead.lost, ...(request.include_never_saved ? dead.neverSaved : [])]
  const selection = await selectRows(open, { seeds: [{ table: 'predictions', keys: removed }], orphans: orphans.ids })
  const report = {
    metadata_orphans_removed: removed.length,
    array_orphans_removed: orphans.ids.length,
    never_had_arrays: dead.neverSaved.length,
    too_young: dead.young + orphans.young,
    refused: refused.filter(({ dataset_name }) => request.dataset_name === undefined || dataset_name === request.dataset_name),
  }
  const isUnread = (name: string) => unread.some(({ dataset_name }) => dataset_name === name)
  const kept = hiding === undefined || found.ids.length === 0 ? [] : [warningOfHidden(found.ids.length, hiding.path)]
  return { selection, report, warnings: [...warningsOf(report, isUnread, await countPredictions(open)), ...kept] }
}

/** Arrays that a backup still holds are not dead: they are to be rescued. Throws `arrays_missing`. */
export const refuseUnrescued = async (resolved: ResolvedWorkspace): Promise<void> => {
  if (resolved.sqlite === null || resolved.bak === null) return
  if (!(await detectStorage(resolved)).rescue_needed) return
  throw new StorageError('arrays_missing', 'The arrays of this workspace are still in store.duckdb.bak. Nothing was changed.', {
    hint: 'Bring them back with `rescue` first, and keep that file: what nirs4all itself misses is not dead.',
  })
}

const inScope = (request: RequestOf<'clean_dead_links'>, column: string): string =>
  `${column} NOT IN (SELECT name FROM refused_datasets)${request.dataset_name === undefined ? '' : ` AND ${column} = $dataset`}`

const scopeParameters = ({ dataset_name }: RequestOf<'clean_dead_links'>): Record<string, string> =>
  dataset_name === undefined ? {} : { dataset: dataset_name }

const findDead = async (open: OpenWorkspace, request: RequestOf<'clean_dead_links'>) => {
  const saved = `coalesce(${columnOr(open, 'predictions', 'n_samples', '1')}, 0) > 0`
  const old = createdBefore(open, 'predictions', request.grace_hours)
  const rows = `SELECT prediction_id AS id, ${saved} AS saved, ${old} AS old FROM ${storeAlias}.main.predictions
    WHERE prediction_id NOT IN (SELECT prediction_id FROM array_rows) AND ${inScope(request, 'dataset_name')}`
  const pick = (condition: string) => idsOf(open, `SELECT id FROM (${rows}) WHERE ${condition} ORDER BY 1`, scopeParameters(request))
  const [lost, neverSaved, young] = [await pick('saved AND old'), await pick('NOT saved AND old'), await pick('NOT old')]
  return { lost, neverSaved, young: young.length }
}

/**
 * A row carries no time: none is older than the last change of its file. Arrays go by their id from every file, so that each row of one has to
 * be meant, and old.
 */
const findOrphans = async (open: OpenWorkspace, request: RequestOf<'clean_dead_links'>) => {
  const changed = await Promise.all(open.index.files.map((file) => stat(join(open.resolved.root, file.path))))
  const young = changed.map(({ mtimeMs }) => mtimeMs > open.now.getTime() - request.grace_hours * 3_600_000)
  await open.engine.run('CREATE OR REPLACE TEMP TABLE young_files (file INTEGER)')
  await appendColumns(open.engine, { alias: 'temp', table: 'young_files' }, [
    { type: 'integer', values: young.flatMap((isYoung, index) => (isYoung ? [index] : [])) },
  ])
  const rows = `SELECT prediction_id AS id, bool_or(file IN (SELECT file FROM young_files)) AS young FROM array_rows
    WHERE NOT removed AND prediction_id NOT IN (SELECT prediction_id FROM ${storeAlias}.main.predictions)
    GROUP BY prediction_id HAVING bool_and(${inScope(request, 'dataset_name')})`
  const pick = (condition: string) => idsOf(open, `SELECT id FROM (${rows}) WHERE ${condition} ORDER BY 1`, scopeParameters(request))
  return { ids: await pick('NOT young'), young: (await pick('young')).length }
}

const datasetsOf = (open: OpenWorkspace): Promise<string[]> =>
  idsOf(
    open,
    `SELECT DISTINCT id FROM (SELECT dataset_name AS id FROM ${storeAlias}.main.predictions UNION ALL SELECT dataset_name FROM array_rows) ORDER BY 1`,
  )

const lackingDatasets = (open: OpenWorkspace): Promise<string[]> =>
  idsOf(
    open,
    `SELECT DISTINCT dataset_name AS id FROM ${storeAlias}.main.predictions WHERE prediction_id NOT IN (SELECT prediction_id FROM array_rows)`,
  )

const refusedDatasets = ({ index }: OpenWorkspace, datasets: readonly string[], lacking: ReadonlySet<string>): Refused[] => {
  const [stranger] = damagedStrangers(index.files, datasets)
  return datasets.flatMap((dataset_name) => {
    const instead = lacking.has(dataset_name) ? damagedInstead(index.files, dataset_name) : undefined
    const file = damagedFileOf(index.files, dataset_name) ?? stranger ?? instead
    return file === undefined ? [] : [{ dataset_name, file: file.path, reason: file.error ?? '' }]
  })
}

/** Datasets that lack arrays while a file of them has rows that are not of the prediction whose id they have: those may be the lost ones. */
const mixedUp = async (open: OpenWorkspace, known: ReadonlySet<string>): Promise<Refused[]> => {
  const Lacking = z.object({ file: z.number(), name: z.string() })
  const lacking = await open.engine.rows(
    Lacking,
    `SELECT DISTINCT file, r.dataset_name AS name FROM array_rows r JOIN ${storeAlias}.main.predictions p ON p.dataset_name = r.dataset_name
     WHERE p.prediction_id NOT IN (SELECT prediction_id FROM array_rows) ORDER BY file, name`,
  )
  const found = new Map<string, Refused>()
  for (const [file, datasets] of Map.groupBy(lacking, (one) => one.file)) {
    const foreign = await foreignRowsIn(open, file, 'all')
    for (const { name } of datasets) {
      const ids = [...new Set(foreign.filter((row) => row.dataset_name === name).map(({ id }) => id))]
      if (ids.length === 0 || known.has(name) || found.has(name)) continue
      const path = open.index.files[file]?.path ?? ''
      const reason = `${path} has rows that are not those of their prediction: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}.`
      found.set(name, { dataset_name: name, file: path, reason })
    }
  }
  return [...found.values()]
}

const fillNames = async ({ engine }: OpenWorkspace, table: string, names: readonly string[]): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE ${table} (name VARCHAR)`)
  await appendColumns(engine, { alias: 'temp', table }, [{ type: 'varchar', values: names }])
}

const countPredictions = async ({ engine }: OpenWorkspace): Promise<number> =>
  (await engine.one(z.object({ n: z.number() }), `SELECT count(*) AS n FROM ${storeAlias}.main.predictions`)).n

const warningOfHidden = (ids: number, path: string): string =>
  `The arrays of ${ids === 1 ? '1 id' : `${ids} ids`} that belong to no prediction stay: ${path} cannot be read, and may have rows of them too.`

const warningsOf = (report: CleanDeadLinksReport, isUnread: (dataset: string) => boolean, predictions: number): string[] => [
  ...report.refused.map(
    ({ dataset_name, file, reason }) => `${dataset_name} is left alone: ${isUnread(dataset_name) ? `${file} cannot be read.` : reason}`,
  ),
  ...(2 * report.metadata_orphans_removed > predictions
    ? ['More than half of all predictions have lost their arrays. Check whether arrays/ is complete before removing them.']
    : []),
]
