import * as z from 'zod'
import type { CatalogMeta } from '../catalog/read-info.ts'
import type { Engine } from '../engine/open-engine.ts'
import { counted } from './counted-text.ts'
import { MissingParent, missingParentsFinding, missingParentsSql } from './find-missing-parents.ts'
import type { InspectionFinding } from './finding.ts'

/** The newest schema that this program knows, as nirs4all stamps it. */
export const NEWEST_USER_VERSION = 5

/** A run that began this long ago and is still running has most likely been killed. */
const STALE_AFTER = '1 day'

/** What is odd about the rows of the tables. */
export const findMetadataOddities = async (catalog: Engine, meta: CatalogMeta): Promise<InspectionFinding[]> => [
  ...(meta.storage_status.storage_mode === 'portable'
    ? []
    : [...(await findMissingParents(catalog)), ...(await findDuplicateKeys(catalog))]),
  ...(await findRunning(catalog)),
  ...findNewerSchema(meta),
]

const findMissingParents = async (catalog: Engine): Promise<InspectionFinding[]> =>
  missingParentsFinding(
    await catalog.rows(
      MissingParent,
      missingParentsSql(
        () => true,
        (table) => `catalog.${table}`,
      ),
    ),
  )

// The library's own natural key; its UNIQUE index lets rows without a branch through, since nulls are never equal there.
const findDuplicateKeys = async (catalog: Engine): Promise<InspectionFinding[]> => {
  const { groups, extra } = await catalog.one(
    z.object({ groups: z.number(), extra: z.number() }),
    `SELECT count(*) AS groups, coalesce(sum(n - 1), 0)::BIGINT AS extra FROM (
       SELECT count(*) AS n FROM catalog.predictions
       GROUP BY pipeline_id, chain_id, fold_id, partition, model_name, branch_id HAVING count(*) > 1)`,
  )
  if (groups === 0) return []
  const detail = `${counted(groups, 'combination', 'combinations')} of pipeline, chain, fold, partition, model and branch ${groups === 1 ? 'has' : 'have'} more than one prediction (${extra} too many).`
  return [{ code: 'duplicate_natural_keys', severity: 'warning', count: groups, detail }]
}

const findRunning = async (catalog: Engine): Promise<InspectionFinding[]> => {
  const { n, stale, ids } = await catalog.one(
    z.object({ n: z.number(), stale: z.number(), ids: z.array(z.string()).nullable() }),
    `SELECT count(*) AS n, count(*) FILTER (created_at < now()::TIMESTAMP - INTERVAL '${STALE_AFTER}') AS stale, list(run_id ORDER BY run_id) AS ids
     FROM catalog.runs WHERE status = 'running'`,
  )
  if (n === 0) return []
  const running = `${counted(n, 'run is', 'runs are')} marked as running`
  const likely = `most likely ${stale === 1 ? 'it was' : 'they were'} stopped and never finished`
  const detail = stale > 0 ? `${running}, ${n === 1 ? '' : `${stale} of them `}for more than a day: ${likely}.` : `${running}.`
  return [{ code: 'running_runs', severity: stale > 0 ? 'warning' : 'info', count: n, detail, ids: ids ?? [] }]
}

const findNewerSchema = (meta: CatalogMeta): InspectionFinding[] => {
  if (meta.user_version <= NEWEST_USER_VERSION) return []
  const detail = `store.sqlite has schema version ${meta.user_version}; this program knows ${NEWEST_USER_VERSION} and older. What it knows is shown.`
  return [{ code: 'newer_schema', severity: 'warning', count: 1, detail }]
}
