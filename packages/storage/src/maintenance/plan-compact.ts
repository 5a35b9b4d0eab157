import type { CompactDatasetsReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { damagedFileOf } from './damaged-files.ts'
import { riskyDuplicates } from './foreign-rows.ts'
import { type OpenWorkspace, type RequestOf, storeAlias } from './maintenance-workspace.ts'
import type { Outcome } from './plan-removal.ts'
import { nothingSelected } from './selection.ts'

const Row = z.object({ dataset_name: z.string(), path: z.string(), before: z.number(), gone: z.number(), share: z.number() })

/**
 * What compaction drops: rows of removed predictions, unless the metadata knows them all the same, and all but the last of duplicates.
 * A file is left as it is when the last one is not of the prediction whose id it has, or one that goes may be of another that has none.
 * Throws `arrays_corrupt` for a dataset that was named and cannot be read or is in such a file.
 */
export const planCompact = async (open: OpenWorkspace, { dataset_name }: RequestOf<'compact'>): Promise<Outcome<CompactDatasetsReport>> => {
  const { index } = open
  const damaged = dataset_name === undefined ? undefined : damagedFileOf(index.files, dataset_name)
  if (damaged !== undefined) {
    throw new StorageError('arrays_corrupt', damaged.error ?? `${damaged.path} cannot be read. Nothing was changed.`, {
      path: damaged.path,
    })
  }
  const rows = await open.engine.rows(
    Row,
    `WITH kept AS (SELECT *, NOT (removed AND prediction_id NOT IN (SELECT prediction_id FROM ${storeAlias}.main.predictions)) AS lives FROM array_rows),
       placed AS (SELECT *, lives AND position = max(position) FILTER (lives) OVER (PARTITION BY file, dataset_name, prediction_id) AS stays,
         count(*) OVER (PARTITION BY file) AS of_file FROM kept)
     SELECT dataset_name, path, count(*) AS before, count(*) FILTER (NOT stays) AS gone, count(*) / any_value(of_file) AS share
     FROM placed JOIN array_file_names USING (file) ${dataset_name === undefined ? '' : 'WHERE dataset_name = $dataset'} GROUP BY ALL ORDER BY ALL`,
    dataset_name === undefined ? {} : { dataset: dataset_name },
  )
  const left = await filesLeft(open)
  if (dataset_name !== undefined) refuseLeft(left, rows)
  const done = rows.map((row) => (left.has(row.path) ? { ...row, gone: 0 } : row))
  return {
    selection: nothingSelected,
    report: { datasets: byDataset(open, done) },
    warnings: [...warningsOf(open), ...warningsOfLeft(left)],
  }
}

/** Files in which compaction could drop arrays that nothing else has, by path, with the ids concerned. */
export const filesLeft = async (open: OpenWorkspace): Promise<ReadonlyMap<string, readonly string[]>> =>
  new Map(Array.from(await riskyDuplicates(open), ([file, ids]) => [open.index.files[file]?.path ?? '', ids]))

const refuseLeft = (left: ReadonlyMap<string, readonly string[]>, rows: readonly z.infer<typeof Row>[]): void => {
  const path = rows.find((row) => left.has(row.path))?.path
  if (path === undefined) return
  const ids = left.get(path) ?? []
  throw new StorageError('arrays_corrupt', `${foreignText(path, ids)} Nothing was changed.`, {
    path,
    ids: ids.slice(0, 100),
    hint: 'Restore the file from a backup; `verify` names every such prediction.',
  })
}

const foreignText = (path: string, ids: readonly string[]): string => {
  const named = `${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}`
  return `${path} has several rows of ${named}, of which not all have as many values as the store says: dropping one could lose the arrays of another prediction.`
}

const warningsOfLeft = (left: ReadonlyMap<string, readonly string[]>): string[] =>
  Array.from(left, ([path, ids]) => `${path} is left as it is. ${foreignText(path, ids)} Restore it from a backup.`)

const byDataset = ({ index }: OpenWorkspace, rows: readonly z.infer<typeof Row>[]): CompactDatasetsReport['datasets'] => {
  const datasets = new Map<string, CompactDatasetsReport['datasets'][string]>()
  for (const { dataset_name, path, before, gone, share } of rows) {
    const bytes = Math.round((index.files.find((file) => file.path === path)?.bytes ?? 0) * share)
    const sum = datasets.get(dataset_name) ?? { rows_before: 0, rows_after: 0, rows_removed: 0, bytes_before: 0, bytes_after: 0 }
    datasets.set(dataset_name, {
      rows_before: sum.rows_before + before,
      rows_after: sum.rows_after + before - gone,
      rows_removed: sum.rows_removed + gone,
      bytes_before: sum.bytes_before + bytes,
      bytes_after: sum.bytes_after + Math.round((bytes * (before - gone)) / before),
    })
  }
  return Object.fromEntries(datasets)
}

const warningsOf = ({ index }: OpenWorkspace): string[] =>
  index.files.filter((file) => file.error !== null).map((file) => `${file.path} is left as it is: it cannot be read.`)
