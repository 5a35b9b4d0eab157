import type { CompactDatasetsReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { damagedFileOf } from './damaged-files.ts'
import { type OpenWorkspace, type RequestOf, storeAlias } from './maintenance-workspace.ts'
import type { Outcome } from './plan-removal.ts'
import { nothingSelected } from './selection.ts'

const Row = z.object({ dataset_name: z.string(), path: z.string(), before: z.number(), gone: z.number(), share: z.number() })

/**
 * What compaction drops: rows of removed predictions, unless the metadata knows them all the same, and all but the last of duplicates.
 * Throws `arrays_corrupt` for a dataset that was named and cannot be read.
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
  return { selection: nothingSelected, report: { datasets: byDataset(open, rows) }, warnings: warningsOf(open) }
}

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
