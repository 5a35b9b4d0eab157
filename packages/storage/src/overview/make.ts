import type { DatasetOverview, OverviewResponse } from '@nirs-workspace/types'
import { listUnreadableFiles } from '../catalog/unreadable-files.ts'
import { cacheOf } from '../predictions/catalog-cache.ts'
import type { CatalogReader, QueryOptions } from '../predictions/catalog-reader.ts'
import { listRuns } from '../runs/list.ts'
import { bestCv, bestRefit } from './best-scores.ts'
import { countDatasets, metricsByDataset } from './dataset-counts.ts'
import { sampleScores } from './score-sample.ts'

/** What the first page shows: every dataset with its best models, and the newest runs. Metrics are never ranked together. Remembered. */
export const makeOverview = (catalog: CatalogReader, { signal }: QueryOptions = {}): Promise<OverviewResponse> =>
  cacheOf(catalog).overview.get('', (shared) => compute(catalog, { signal: shared }), signal)

const compute = async (catalog: CatalogReader, options: QueryOptions): Promise<OverviewResponse> => {
  const [counts, metrics, cv, refit, scores, runs, unreadable_files] = await Promise.all([
    countDatasets(catalog, options),
    metricsByDataset(catalog, options),
    bestCv(catalog, options),
    bestRefit(catalog, options),
    sampleScores(catalog, options),
    listRuns(catalog, { status: [], q: '', limit: 5, offset: 0 }, options),
    listUnreadableFiles(catalog.engine),
  ])
  const datasets = counts.map(
    (dataset): DatasetOverview => ({
      ...dataset,
      metrics: metrics.get(dataset.dataset_name) ?? [],
      best_cv: cv.get(dataset.dataset_name) ?? [],
      best_refit: refit.get(dataset.dataset_name) ?? [],
      scores: scores.get(dataset.dataset_name) ?? [],
    }),
  )
  return { datasets, recent_runs: runs.rows, unreadable_files }
}
