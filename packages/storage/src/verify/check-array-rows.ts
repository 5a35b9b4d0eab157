import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { readTombstones } from '../arrays/tombstones.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

const namedIds = 100

/** What the collected rows of all files say together: duplicates, orphans, missing arrays, lengths and shapes that cannot be. */
export const checkArrayRows = async (engine: Engine, resolved: ResolvedWorkspace): Promise<{ findings: Finding[]; rows: number }> => {
  const findings: Finding[] = []
  const tombstones = await tombstonesOf(resolved.arrays)
  if (tombstones === null) {
    const detail = 'arrays/_tombstones.json is damaged: which predictions were removed from the array files is unknown.'
    findings.push({ code: 'tombstones_corrupt', severity: 'error', count: 1, detail })
  }
  await engine.run('CREATE TABLE memory.main.removed AS SELECT unnest($ids::JSON::VARCHAR[]) AS prediction_id', {
    ids: JSON.stringify(tombstones ?? []),
  })
  for (const check of checksFor(resolved)) {
    const { count, ids } = await engine.one(
      Found,
      `SELECT count(*) AS count, list(id ORDER BY id)[1:${namedIds}] AS ids FROM (SELECT DISTINCT coalesce(prediction_id, '') AS id FROM (${check.sql}))`,
    )
    if (count > 0) findings.push({ code: check.code, severity: check.severity, count, detail: `${count} ${check.detail}.`, ids: ids ?? [] })
  }
  const { rows } = await engine.one(z.object({ rows: z.number() }), 'SELECT count(*) AS rows FROM memory.main.array_rows')
  return { findings, rows }
}

const Found = z.object({ count: z.number(), ids: z.array(z.string()).nullable() })

interface Check {
  readonly code: string
  readonly severity: Finding['severity']
  readonly detail: string
  /** Selects the prediction_id of the rows concerned. */
  readonly sql: string
}

const inFiles = "memory.main.array_rows WHERE starts_with(origin, 'arrays/')"

const checksFor = (resolved: ResolvedWorkspace): Check[] =>
  resolved.kind === 'portable' ? valueChecks : [...identityChecks, ...valueChecks]

const identityChecks: Check[] = [
  {
    code: 'orphan_arrays',
    severity: 'warning',
    detail: 'rows in arrays/ belong to no prediction and were not removed by anybody',
    sql: `SELECT prediction_id FROM ${inFiles} AND prediction_id NOT IN (SELECT prediction_id FROM memory.main.known)
      AND prediction_id NOT IN (SELECT prediction_id FROM memory.main.removed)`,
  },
  {
    code: 'predictions_without_arrays',
    severity: 'warning',
    detail: 'predictions have no arrays',
    sql: `SELECT prediction_id FROM memory.main.known WHERE prediction_id NOT IN (SELECT prediction_id FROM memory.main.array_rows WHERE prediction_id IS NOT NULL)`,
  },
  {
    code: 'rows_without_metadata',
    severity: 'warning',
    detail: 'rows of prediction_arrays belong to no prediction',
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE origin = 'prediction_arrays'
      AND (prediction_id IS NULL OR prediction_id NOT IN (SELECT prediction_id FROM memory.main.known))`,
  },
  {
    code: 'dataset_mismatch',
    severity: 'warning',
    detail: 'rows in arrays/ name another dataset than their prediction',
    sql: `SELECT r.prediction_id FROM memory.main.array_rows r JOIN memory.main.known k USING (prediction_id)
      WHERE starts_with(r.origin, 'arrays/') AND r.dataset_name IS DISTINCT FROM k.dataset_name`,
  },
]

const samples = 'coalesce(y_true, y_pred)'
const valueChecks: Check[] = [
  {
    code: 'duplicate_array_rows',
    severity: 'warning',
    detail: 'ids have more than one row in arrays/; the last one counts',
    sql: "SELECT prediction_id FROM memory.main.array_rows WHERE origin <> 'prediction_arrays' GROUP BY prediction_id HAVING count(*) > 1",
  },
  {
    code: 'length_mismatch',
    severity: 'warning',
    detail: 'predictions have arrays of different lengths',
    // Several targets lie one after the other: y_true is then a multiple of sample_indices.
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE y_true <> y_pred
      OR (sample_indices > 0 AND ${samples} > 0 AND ${samples} % sample_indices <> 0 AND NOT ends_with(coalesce(fold_id, ''), '_agg'))`,
  },
  {
    code: 'proba_shape',
    severity: 'warning',
    detail: 'predictions have class probabilities that do not fit their samples or their shape',
    sql: `SELECT prediction_id FROM memory.main.array_rows WHERE y_proba > 0 AND (
      (${samples} > 0 AND y_proba % ${samples} <> 0 AND coalesce(sample_indices, 0) = ${samples})
      OR (len(shape) > 0 AND list_product(shape) <> y_proba))`,
  },
  {
    code: 'rows_without_id',
    severity: 'error',
    detail: 'rows in arrays/ have no prediction_id',
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
