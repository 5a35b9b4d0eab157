import type { CatalogMeta } from '../catalog/read-info.ts'
import type { Engine } from '../engine/open-engine.ts'
import { findArrayOddities } from './find-array-oddities.ts'
import { findArtifactFiles } from './find-artifact-files.ts'
import { findCutLog } from './find-cut-log.ts'
import { findMetadataOddities } from './find-metadata-oddities.ts'
import { findStaleRows } from './find-stale-rows.ts'
import { findUnreadableLog } from './find-unreadable-log.ts'
import type { InspectionFinding } from './finding.ts'
import { liveStatus } from './live-status.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/** Everything odd about a workspace, errors first; without what only the store tells when it cannot be opened. */
export const collectFindings = async (
  resolved: ResolvedWorkspace,
  catalog: Engine,
  meta: CatalogMeta,
  storeOpens: boolean,
): Promise<InspectionFinding[]> => {
  const findings = [
    ...(await findArrayOddities(catalog, meta)),
    ...(storeOpens && meta.storage_status.storage_mode === 'mid_migration' ? await findStaleRows(resolved) : []),
    ...(await findMetadataOddities(catalog, meta)),
    ...(await findArtifactFiles(resolved, catalog)),
    ...(await findLeftovers(resolved, storeOpens)),
  ]
  const rank = { error: 0, warning: 1, info: 2 }
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity])
}

const findLeftovers = async (resolved: ResolvedWorkspace, storeOpens: boolean): Promise<InspectionFinding[]> => {
  const { wal_bytes, interrupted_job } = await liveStatus(resolved)
  const findings = [...(await findUnreadableLog(resolved)), ...(storeOpens ? await findCutLog(resolved) : [])]
  if (wal_bytes > 0 && findings.length === 0) {
    findings.push({
      code: 'write_ahead_log',
      severity: 'info',
      count: 1,
      detail: `A log of ${wal_bytes} bytes lies beside the store: a program is writing, or was stopped. Its rows are counted here.`,
    })
  }
  if (interrupted_job !== null) {
    const { kind, job_id, phase } = interrupted_job
    const detail = `The job ${job_id} (${kind}) stopped in its phase ${phase}; it is finished or undone before the next job.`
    findings.push({ code: 'interrupted_job', severity: 'warning', count: 1, detail })
  }
  return findings
}
