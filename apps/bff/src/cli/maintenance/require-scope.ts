import { ArrayStore } from '@nirs-workspace/storage'
import type { MaintenanceRequest } from '@nirs-workspace/types'
import { requireDatasets, requireValues } from '../known-names.ts'
import { withCatalog } from '../with-catalog.ts'

/**
 * Refuses a dataset that neither predictions nor array files know, and a metric that no prediction has: a slip must not look as if there were
 * nothing to remove. Throws `dataset_not_found` and `UsageError`.
 */
export const requireScope = async (root: string, request: MaintenanceRequest): Promise<void> => {
  const datasets = 'dataset_name' in request && request.dataset_name !== undefined ? [request.dataset_name] : []
  const metrics = request.kind === 'remove_bottom' ? namedMetrics(request.metric) : []
  if (datasets.length + metrics.length === 0) return
  const inFiles = await ArrayStore.open(root).listDatasets()
  await withCatalog(root, async (catalog) => {
    await requireDatasets(catalog, datasets, inFiles)
    await requireValues(catalog, 'metric', metrics)
  })
}

/** `val_score` means every metric. */
const namedMetrics = (metric: string | undefined): string[] => (metric === undefined || metric === 'val_score' ? [] : [metric])
