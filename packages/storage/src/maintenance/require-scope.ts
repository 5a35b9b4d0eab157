import { isSameMetric, type MaintenanceRequest } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import { quotedNames } from '../workspace/counted-text.ts'
import { refuseUnreadable } from './damaged-files.ts'
import { idsOf, type OpenWorkspace, storeAlias } from './maintenance-workspace.ts'

/**
 * Refuses a dataset that neither metadata nor array files know, and a metric that no prediction has: a slip must not look as if there were
 * nothing to do. Throws `dataset_not_found`, `validation`, and `arrays_corrupt` when only a file that cannot be read could know the dataset.
 */
export const requireScope = async (open: OpenWorkspace, request: MaintenanceRequest): Promise<void> => {
  if ('dataset_name' in request && request.dataset_name !== undefined) await requireDataset(open, request.dataset_name)
  // `val_score` means every metric.
  if (request.kind === 'remove_bottom' && request.metric !== undefined && request.metric !== 'val_score') {
    await requireMetric(open, request.metric)
  }
}

const requireDataset = async (open: OpenWorkspace, name: string): Promise<void> => {
  const known = await idsOf(
    open,
    `SELECT dataset_name AS id FROM ${storeAlias}.main.predictions UNION SELECT dataset_name FROM array_rows
     UNION SELECT dataset_name FROM ${storeAlias}.main.pipelines p WHERE NOT EXISTS (
       SELECT 1 FROM ${storeAlias}.main.predictions o WHERE o.pipeline_id = p.pipeline_id AND o.dataset_name <> p.dataset_name) ORDER BY 1`,
  )
  if (known.includes(name)) return
  refuseUnreadable(open.index, [name])
  throw new StorageError('dataset_not_found', `There is no dataset named ${JSON.stringify(name)}. Nothing was changed.`, {
    hint: known.length === 0 ? 'The workspace has no datasets.' : `There are: ${quotedNames(known)}.`,
  })
}

const requireMetric = async (open: OpenWorkspace, name: string): Promise<void> => {
  const known = await idsOf(open, `SELECT DISTINCT metric AS id FROM ${storeAlias}.main.predictions ORDER BY 1`)
  if (known.some((metric) => isSameMetric(metric, name))) return
  throw new StorageError('validation', `No prediction has the metric ${JSON.stringify(name)}. Nothing was changed.`, {
    hint: known.length === 0 ? 'The workspace has no predictions.' : `There are: ${quotedNames(known)}.`,
  })
}
