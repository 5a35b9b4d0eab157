import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { misfitSql } from '../arrays/fits-samples.ts'
import { readTombstones } from '../arrays/tombstones.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { type Concerned, lostArrays, withoutArrays } from '../workspace/array-findings.ts'
import { counted } from '../workspace/counted-text.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { backupOrigin } from './check-array-file.ts'
import type { CheckedMetadata } from './check-metadata.ts'
import { type UnfinishedArrays, unfinishedArrays } from './unfinished-arrays.ts'

const namedIds = 100

/**
 * What the collected rows of all files say together: duplicates, lengths and shapes that cannot be; orphans and missing arrays where it is
 * known which predictions there are.
 */
export const checkArrayRows = async (
  engine: Engine,
  resolved: ResolvedWorkspace,
  { isKnown }: Pick<CheckedMetadata, 'isKnown'>,
): Promise<{ findings: Finding[]; rows: number }> => {
  const findings: Finding[] = []
  const tombstones = await tombstonesOf(resolved.arrays)
  if (tombstones === null) {
    const detail = 'arrays/_tombstones.json is damaged: which predictions were removed from the array files is unknown.'
    findings.push({ code: 'tombstones_corrupt', severity: 'error', count: 1, detail })
  }
  await engine.run('CREATE TABLE memory.main.removed AS SELECT unnest($ids::JSON::VARCHAR[]) AS prediction_id', {
    ids: JSON.stringify(tombstones ?? []),
  })
  const unfinished = await unfinishedArrays(engine, resolved)
  await engine.run('CREATE TABLE memory.main.unfinished AS SELECT unnest($ids::JSON::VARCHAR[]) AS prediction_id', {
    ids: JSON.stringify(unfinished?.ids ?? []),
  })
  for (const check of checksFor(resolved.kind !== 'portable' && isKnown, unfinished)) {
    const { count, ids } = await engine.one(
      Found,
      `SELECT count(*) AS count, list(id ORDER BY id)[1:${namedIds}] AS ids FROM (SELECT DISTINCT coalesce(prediction_id, '') AS id FROM (${check.sql}))`,
    )
    if (count > 0) findings.push(check.finding({ count, ids: ids ?? [] }))
  }
  const { rows } = await engine.one(z.object({ rows: z.number() }), 'SELECT count(*) AS rows FROM memory.main.array_rows')
  return { findings, rows }
}

const Found = z.object({ count: z.number(), ids: z.array(z.string()).nullable() })

interface Check {
  readonly finding: (concerned: Concerned) => Finding
  /** Selects the prediction_id of the rows concerned. */
  readonly sql: string
}

const finding =
  (severity: Finding['severity'], code: string, one: string, many: string): Check['finding'] =>
  ({ count, ids }) => ({ code, severity, count, detail: `${counted(count, one, many)}.`, ids })

const inFiles = "memory.main.array_rows WHERE starts_with(origin, 'arrays/')"
const inBackup = `memory.main.array_rows WHERE origin = '${backupOrigin}' AND prediction_id IS NOT NULL`

const checksFor = (isKnown: boolean, unfinished: UnfinishedArrays | null): Check[] =>
  isKnown
    ? [...identityChecks, ...(unfinished === null ? [] : [awaiting(unfinished)]), foreignRows(unfinished), ...valueChecks]
    : valueChecks

const withoutPrediction = `SELECT prediction_id FROM ${inFiles} AND prediction_id NOT IN (SELECT prediction_id FROM memory.main.known)
  AND prediction_id NOT IN (SELECT prediction_id FROM memory.main.removed)`

const isUnfinished = 'prediction_id IN (SELECT prediction_id FROM memory.main.unfinished)'

const awaiting = ({ kind }: UnfinishedArrays): Check => {
  const job = `to a ${kind} that has not ended; it is finished or undone before the next job`
  return {
    finding: finding('warning', 'interrupted_job', `row in arrays/ belongs ${job}`, `rows in arrays/ belong ${job}`),
    sql: kind === 'save' ? `SELECT prediction_id FROM ${inFiles} AND ${isUnfinished}` : `${withoutPrediction} AND ${isUnfinished}`,
  }
}

const identityChecks: Check[] = [
  {
    finding: finding(
      'warning',
      'orphan_arrays',
      'row in arrays/ belongs to no prediction and was not removed by anybody',
      'rows in arrays/ belong to no prediction and were not removed by anybody',
    ),
    sql: `${withoutPrediction} AND NOT ${isUnfinished}`,
  },
  {
    finding: (concerned) => lostArrays('warning', concerned),
    sql: `SELECT prediction_id FROM memory.main.known WHERE prediction_id IN (SELECT prediction_id FROM ${inBackup})
      AND prediction_id NOT IN (SELECT prediction_id FROM memory.main.array_rows WHERE origin <> '${backupOrigin}' AND prediction_id IS NOT NULL
        AND prediction_id NOT IN (SELECT prediction_id FROM memory.main.removed))`,
  },
  {
    finding: withoutArrays,
    sql: `SELECT prediction_id FROM memory.main.known
      WHERE prediction_id NOT IN (SELECT prediction_id FROM memory.main.array_rows WHERE prediction_id IS NOT NULL
          AND NOT (starts_with(origin, 'arrays/') AND prediction_id IN (SELECT prediction_id FROM memory.main.removed)))
        AND coalesce(dataset_name, '') NOT IN (SELECT dataset_name FROM memory.main.unreadable)`,
  },
  {
    finding: finding(
      'warning',
      'rows_without_metadata',
      'row of prediction_arrays belongs to no prediction',
      'rows of prediction_arrays belong to no prediction',
    ),
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE origin = 'prediction_arrays'
      AND (prediction_id IS NULL OR prediction_id NOT IN (SELECT prediction_id FROM memory.main.known))`,
  },
  {
    finding: finding(
      'warning',
      'dataset_mismatch',
      'row in arrays/ names another dataset than its prediction',
      'rows in arrays/ name another dataset than their prediction',
    ),
    sql: `SELECT r.prediction_id FROM memory.main.array_rows r JOIN memory.main.known k USING (prediction_id)
      WHERE starts_with(r.origin, 'arrays/') AND r.dataset_name IS DISTINCT FROM k.dataset_name`,
  },
]

// Of several rows of a prediction in one place the last is the one that is read.
const lastRows = `(SELECT * FROM memory.main.array_rows WHERE prediction_id IS NOT NULL
  QUALIFY position = max(position) OVER (PARTITION BY origin, dataset_name, prediction_id))`

const isForeign = misfitSql('k.n_samples', { y_true: 'r.y_true', y_pred: 'r.y_pred', sample_indices: 'r.sample_indices' })
const isLive = `NOT (starts_with(r.origin, 'arrays/') AND r.prediction_id IN (SELECT prediction_id FROM memory.main.removed))`

// A row that is not read any more is told only where it may be what another prediction of the dataset lacks.
const foreignIds = `SELECT r.prediction_id FROM ${lastRows} r JOIN memory.main.known k USING (prediction_id) WHERE ${isLive} AND ${isForeign}
  UNION SELECT r.prediction_id FROM memory.main.array_rows r JOIN memory.main.known k USING (prediction_id)
    JOIN memory.main.known lost ON lost.dataset_name = r.dataset_name AND lost.n_samples = greatest(coalesce(r.y_true, 0), coalesce(r.y_pred, 0))
    WHERE ${isLive} AND ${isForeign} AND lost.prediction_id NOT IN (SELECT prediction_id FROM memory.main.array_rows WHERE prediction_id IS NOT NULL)`

const notItsOwn = 'An id may have changed where it is kept; restore that from a backup'
/** While a save has not ended, the rows may be those of the scores that come with it. */
const foreignRows = (unfinished: UnfinishedArrays | null): Check => ({
  finding: finding(
    'error',
    'samples_mismatch',
    `prediction has a row of arrays with another number of values than it has samples: the row is not its own. ${notItsOwn}`,
    `predictions have rows of arrays with another number of values than they have samples: the rows are not their own. ${notItsOwn}`,
  ),
  sql: unfinished?.kind === 'save' ? `SELECT prediction_id FROM (${foreignIds}) WHERE NOT ${isUnfinished}` : foreignIds,
})

const samples = 'coalesce(y_true, y_pred)'
const valueChecks: Check[] = [
  {
    finding: finding(
      'info',
      'replaced_array_rows',
      'prediction was saved again: an older row of it waits for `compact`',
      'predictions were saved again: older rows of them wait for `compact`',
    ),
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE prediction_id IS NOT NULL AND prediction_id NOT IN (${foreignIds})
      GROUP BY origin, dataset_name, prediction_id HAVING count(*) > 1`,
  },
  {
    finding: finding(
      'warning',
      'duplicate_array_rows',
      'id has rows in more than one file or dataset of arrays/; the last one counts. Move a file that is a copy out of arrays/',
      'ids have rows in more than one file or dataset of arrays/; the last one counts. Move a file that is a copy out of arrays/',
    ),
    sql: `SELECT prediction_id FROM ${lastRows} WHERE origin NOT IN ('prediction_arrays', '${backupOrigin}')
      GROUP BY prediction_id HAVING count(*) > 1`,
  },
  {
    finding: finding(
      'warning',
      'length_mismatch',
      'prediction has arrays of different lengths',
      'predictions have arrays of different lengths',
    ),
    // Several targets lie one after the other: y_true is then a multiple of sample_indices.
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE y_true <> y_pred
      OR (sample_indices > 0 AND ${samples} > 0 AND ${samples} % sample_indices <> 0 AND NOT ends_with(coalesce(fold_id, ''), '_agg'))`,
  },
  {
    finding: finding(
      'warning',
      'proba_shape',
      'prediction has class probabilities that do not fit its samples or its shape',
      'predictions have class probabilities that do not fit their samples or their shape',
    ),
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE list_min(shape) < 0 OR y_proba > 0 AND (
      (${samples} > 0 AND y_proba % ${samples} <> 0 AND coalesce(sample_indices, 0) = ${samples})
      OR (len(shape) > 0 AND list_product(shape) <> y_proba))`,
  },
  {
    finding: finding(
      'error',
      'rows_without_id',
      'file in arrays/ has rows without a prediction_id',
      'files in arrays/ have rows without a prediction_id',
    ),
    sql: `SELECT origin AS prediction_id FROM ${inFiles} AND prediction_id IS NULL`,
  },
]

/** Removed ids; null when the list is damaged. */
const tombstonesOf = async (arrays: string): Promise<string[] | null> => {
  try {
    return [...(await readTombstones(arrays)).keys()]
  } catch (error) {
    if (isStorageError(error, 'tombstones_corrupt')) return null
    throw error
  }
}
