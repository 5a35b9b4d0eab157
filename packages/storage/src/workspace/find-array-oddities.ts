import * as z from 'zod'
import type { CatalogMeta } from '../catalog/read-info.ts'
import { listUnreadableFiles } from '../catalog/unreadable-files.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { InspectionFinding } from './finding.ts'

/** Ids named in a finding; the count says how many there are. */
const NAMED_IDS = 100

interface Kind {
  code: InspectionFinding['code']
  severity: InspectionFinding['severity']
  detail: (count: number) => string
}

const rows = (count: number) => (count === 1 ? '1 row' : `${count} rows`)

const kinds: Record<string, Kind> = {
  row_without_metadata: {
    code: 'rows_without_metadata',
    severity: 'warning',
    detail: (count) => `${rows(count)} of prediction_arrays belong to no prediction.`,
  },
  orphan: { code: 'orphan_arrays', severity: 'warning', detail: (count) => `${rows(count)} in arrays/ belong to no prediction.` },
  duplicate: {
    code: 'duplicate_array_rows',
    severity: 'warning',
    detail: (count) => `${count} ${count === 1 ? 'id has' : 'ids have'} more than one row in arrays/; the last one counts.`,
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
  return files.map(({ reason, detail }): InspectionFinding => {
    const code = reason === 'damaged' ? 'corrupt_array_file' : 'missing_array_file'
    return { code, severity: 'error', count: 1, detail }
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
  const code = 'predictions_without_arrays'
  const Missing = z.object({ n: z.number(), ids: z.array(z.string()).nullable() })
  const ids = `list(prediction_id ORDER BY prediction_id)[1:${NAMED_IDS}] AS ids`
  const none = await catalog.one(Missing, `SELECT count(*) AS n, ${ids} FROM catalog.predictions WHERE NOT has_arrays`)
  const lost = await catalog.one(Missing, `SELECT count(*) AS n, ${ids} FROM catalog.predictions WHERE array_source = 'bak'`)
  const findings: InspectionFinding[] = []
  if (lost.n > 0) {
    const detail = `nirs4all does not find the arrays of ${lost.n} predictions any more: they are in store.duckdb.bak only. They are shown and exported from there: keep that file.`
    findings.push({ code, severity: 'error', count: lost.n, detail, ids: lost.ids ?? [] })
  }
  if (none.n > 0) {
    const backup = meta.backup_error === '' ? '' : ` A backup is there but cannot be read: ${meta.backup_error}`
    const severity = meta.backup_error === '' ? 'warning' : 'error'
    findings.push({ code, severity, count: none.n, detail: `${none.n} predictions have no arrays.${backup}`, ids: none.ids ?? [] })
  }
  return findings
}

const findTombstones = (meta: CatalogMeta): InspectionFinding[] => {
  if (meta.tombstones_corrupt) {
    const detail = 'arrays/_tombstones.json is damaged: which predictions were removed from the array files is unknown.'
    return [{ code: 'tombstones_corrupt', severity: 'error', count: 1, detail }]
  }
  if (meta.tombstones === 0) return []
  const detail = `${meta.tombstones} removed predictions wait for the array files to be compacted.`
  return [{ code: 'tombstones', severity: 'info', count: meta.tombstones, detail }]
}
