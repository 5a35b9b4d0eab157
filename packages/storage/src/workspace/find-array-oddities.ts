import * as z from 'zod'
import type { CatalogMeta } from '../catalog/read-info.ts'
import { listUnreadableFiles } from '../catalog/unreadable-files.ts'
import type { Engine } from '../engine/open-engine.ts'
import { type Concerned, concerning, lostArrays, unreadableBackup, withoutArrays } from './array-findings.ts'
import { counted } from './counted-text.ts'
import type { InspectionFinding } from './finding.ts'

/** Ids named in a finding; the count says how many there are. */
const NAMED_IDS = 100

interface Kind {
  code: InspectionFinding['code']
  severity: InspectionFinding['severity']
  detail: (count: number) => string
}

const kinds: Record<string, Kind> = {
  row_without_metadata: {
    code: 'rows_without_metadata',
    severity: 'warning',
    detail: (count) => `${counted(count, 'row of prediction_arrays belongs', 'rows of prediction_arrays belong')} to no prediction.`,
  },
  orphan: {
    code: 'orphan_arrays',
    severity: 'warning',
    detail: (count) => `${counted(count, 'row in arrays/ belongs', 'rows in arrays/ belong')} to no prediction.`,
  },
  duplicate: {
    code: 'duplicate_array_rows',
    severity: 'warning',
    detail: (count) => `${counted(count, 'id has', 'ids have')} more than one row in arrays/; the last one counts.`,
  },
}

/** What the array files and the table `prediction_arrays` hold that they should not, or lack. */
export const findArrayOddities = async (catalog: Engine, meta: CatalogMeta): Promise<InspectionFinding[]> => [
  ...(await findByKind(catalog)),
  ...(await findUnreadableFiles(catalog)),
  ...(await findSharedFiles(catalog)),
  ...(await findMissingArrays(catalog, meta)),
  ...findTombstones(meta),
]

const findByKind = async (catalog: Engine): Promise<InspectionFinding[]> => {
  const found = await catalog.rows(
    z.object({ kind: z.string(), n: z.number(), ids: z.array(z.string()) }),
    `SELECT kind, count(*) AS n, list(prediction_id ORDER BY prediction_id)[1:${NAMED_IDS}] AS ids FROM catalog.array_oddities GROUP BY kind ORDER BY kind`,
  )
  return found.flatMap(({ kind, n, ids }): InspectionFinding[] => {
    const known = kinds[kind]
    return known === undefined ? [] : [{ code: known.code, severity: known.severity, count: n, detail: known.detail(n), ids }]
  })
}

const findUnreadableFiles = async (catalog: Engine): Promise<InspectionFinding[]> => {
  const files = await listUnreadableFiles(catalog)
  return files.map(({ reason, detail, predictions }): InspectionFinding => {
    const code = reason === 'damaged' ? 'corrupt_array_file' : 'missing_array_file'
    return { code, severity: 'error', count: 1, detail: `${detail}${concerning(predictions)}` }
  })
}

const findSharedFiles = async (catalog: Engine): Promise<InspectionFinding[]> => {
  const files = await catalog.rows(
    z.object({ path: z.string(), names: z.array(z.string()) }),
    `SELECT path, list(dataset_name ORDER BY dataset_name) AS names FROM catalog.array_file_datasets
     GROUP BY path HAVING count(*) > 1 ORDER BY path`,
  )
  return files.map(({ path, names }): InspectionFinding => {
    const detail = `${path} holds the rows of ${names.length} datasets: ${names.join(', ')}. Rows are told apart by their dataset_name.`
    return { code: 'shared_file_name', severity: 'info', count: names.length, detail }
  })
}

const findMissingArrays = async (catalog: Engine, meta: CatalogMeta): Promise<InspectionFinding[]> => {
  const lost = await concernedBy(catalog, "array_source = 'bak'")
  const none = await concernedBy(catalog, 'NOT has_arrays AND array_source IS NULL')
  return [
    ...(meta.backup_error === '' ? [] : [unreadableBackup(meta.backup_error)]),
    ...(lost.count === 0 ? [] : [lostArrays('error', lost)]),
    ...(none.count === 0 ? [] : [withoutArrays(none)]),
  ]
}

const concernedBy = async (catalog: Engine, condition: string): Promise<Concerned> => {
  const { count, ids } = await catalog.one(
    z.object({ count: z.number(), ids: z.array(z.string()).nullable() }),
    `SELECT count(*) AS count, list(prediction_id ORDER BY prediction_id)[1:${NAMED_IDS}] AS ids FROM catalog.predictions WHERE ${condition}`,
  )
  return { count, ids: ids ?? [] }
}

const findTombstones = (meta: CatalogMeta): InspectionFinding[] => {
  if (meta.tombstones_corrupt) {
    const detail = 'arrays/_tombstones.json is damaged: which predictions were removed from the array files is unknown.'
    return [{ code: 'tombstones_corrupt', severity: 'error', count: 1, detail }]
  }
  if (meta.tombstones === 0) return []
  const detail = `${counted(meta.tombstones, 'removed prediction waits', 'removed predictions wait')} for the array files to be compacted.`
  return [{ code: 'tombstones', severity: 'info', count: meta.tombstones, detail }]
}
