import type {
  ExportCount,
  ExportRequest,
  Facets,
  Histogram,
  Inspection,
  JobList,
  MigrateStatus,
  MigrationPlan,
  OverviewResponse,
  PredictionDetail,
  PredictionPage,
  PredictionRow,
  RangeColumn,
  RunPage,
  Scatter,
  StorageStatus,
  WorkspaceList,
  WorkspaceStats,
} from '@nirs-workspace/types'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { type QueryParams, request } from './client.ts'

/** Rows per request of the grid: about five screens, some 150 kB. */
export const blockSize = 200

/** Keys start with the endpoint and the workspace, so that an event can refresh exactly what it concerns. */
const read = <T>(path: string, workspace: string | undefined, query: QueryParams = {}) =>
  queryOptions({
    queryKey: [path, workspace, query] as const,
    queryFn: ({ signal }) => request<T>(path, { query: { ...query, workspace }, signal }),
  })

export const workspacesQuery = () =>
  queryOptions({ queryKey: ['/workspaces'] as const, queryFn: ({ signal }) => request<WorkspaceList>('/workspaces', { signal }) })

export const jobsQuery = () =>
  queryOptions({ queryKey: ['/jobs'] as const, queryFn: ({ signal }) => request<JobList>('/jobs', { signal }) })

export const storageStatusQuery = (workspace: string) => read<StorageStatus>('/workspace/storage-status', workspace)
export const inspectQuery = (workspace: string) => read<Inspection>('/workspace/inspect', workspace)
export const statsQuery = (workspace: string) => read<WorkspaceStats>('/workspace/stats', workspace)
export const overviewQuery = (workspace: string) => read<OverviewResponse>('/overview', workspace)
export const migrateStatusQuery = (workspace: string) => read<MigrateStatus>('/workspace/migrate/status', workspace)

/** The dry run reads only, so it is a query although it travels as POST; a plan is made anew when asked again. */
export const migrationPlanQuery = (workspace: string) =>
  queryOptions({
    queryKey: ['/workspace/migrate', workspace, 'plan'] as const,
    queryFn: ({ signal }) =>
      request<MigrationPlan>('/workspace/migrate', { method: 'POST', query: { workspace }, body: { dry_run: true }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })

export const predictionBlockQuery = (workspace: string, params: QueryParams, block: number) =>
  queryOptions({
    queryKey: ['/predictions', workspace, params, block] as const,
    queryFn: ({ signal }) =>
      request<PredictionPage>('/predictions', { query: { ...params, workspace, limit: blockSize, offset: block * blockSize }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

/**
 * The best cross-validation row of a dataset: an average over folds before a single fold, and that before a model without
 * cross-validation (the kinds are in the order of the alphabet). Only finite scores compete.
 */
export const bestCvQuery = (workspace: string, dataset: string, metric: readonly string[], order: 'asc' | 'desc') => ({
  ...read<PredictionPage>('/predictions', workspace, {
    dataset_name: dataset,
    metric,
    partition: 'val',
    fold_kind: ['average', 'fold', 'single'],
    aggregated: 'false',
    val_score_min: -Number.MAX_VALUE,
    val_score_max: Number.MAX_VALUE,
    sort: ['fold_kind:asc', `val_score:${order}`],
    limit: 1,
  }),
  select: (page: PredictionPage): PredictionRow | undefined => page.rows[0],
})

export const facetsQuery = (workspace: string, filters: QueryParams) => ({
  ...read<Facets>('/predictions/facets', workspace, filters),
  placeholderData: keepPreviousData,
})

export const histogramQuery = (workspace: string, column: RangeColumn, filters: QueryParams) => ({
  ...read<Histogram>('/predictions/histogram', workspace, { ...filters, column }),
  placeholderData: keepPreviousData,
})

/** Counting reads only, so it is a query although it travels as POST. */
export const exportCountQuery = (workspace: string, body: ExportRequest) =>
  queryOptions({
    queryKey: ['/aggregated-predictions/export/count', workspace, body] as const,
    queryFn: ({ signal }) =>
      request<ExportCount>('/aggregated-predictions/export/count', { method: 'POST', query: { workspace }, body, signal }),
    retry: false,
  })

export const predictionQuery = (workspace: string, id: string) =>
  read<PredictionDetail>(`/predictions/${encodeURIComponent(id)}`, workspace)
export const scatterQuery = (workspace: string, id: string) => ({
  ...read<Scatter>(`/predictions/${encodeURIComponent(id)}/scatter`, workspace),
  retry: false,
})

export const runsQuery = (workspace: string, query: { q?: string; status?: string; limit: number; offset: number }) => ({
  ...read<RunPage>('/runs', workspace, query),
  placeholderData: keepPreviousData,
})
