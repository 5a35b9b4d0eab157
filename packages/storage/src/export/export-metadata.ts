import type { DatasetExport } from './export-context.ts'
import type { ExportPlan } from './export-plan.ts'

/** Written into every file we make; the version of the format of these keys, not of the program. */
export const producer = 'NIRS Workspace'
export const exportFormat = 'nirs-workspace/export/1'

/** What makes an exported file stand on its own: footer key-values of Parquet, schema metadata of Arrow. */
export const exportMetadata = (request: DatasetExport, plan: ExportPlan, createdAt: Date): ReadonlyMap<string, string> =>
  new Map([
    ['nirs_workspace.producer', producer],
    ['nirs_workspace.format', exportFormat],
    ['nirs_workspace.dataset_name', request.dataset_name],
    ['nirs_workspace.layout', request.layout],
    ['nirs_workspace.filters', JSON.stringify(request.filters ?? null)],
    ['nirs_workspace.predictions', String(plan.predictions)],
    ['nirs_workspace.warnings', JSON.stringify(plan.warnings)],
    ['nirs_workspace.created_at', createdAt.toISOString()],
  ])
