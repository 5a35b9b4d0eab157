import type { RemoveDatasetReport, RemoveRowsReport } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import { refuseUnreadable } from './damaged-files.ts'
import { filesWithDataset, warningsOfRows } from './files-with-dataset.ts'
import { idsOf, type OpenWorkspace, type RequestOf, storeAlias } from './maintenance-workspace.ts'
import { selectRows } from './select-rows.ts'
import { countSelection, itemsOf, type Selection } from './selection.ts'

/** What a kind of plan works out; the rest is common to all. */
export interface Outcome<R> {
  readonly selection: Selection
  readonly report: R
  readonly warnings: readonly string[]
}

/** A run, pipeline or chain with everything that belongs to it. Throws `run_not_found` and the like. */
export const planLineage = async (
  open: OpenWorkspace,
  request: RequestOf<'remove_run' | 'remove_pipeline' | 'remove_chain'>,
): Promise<Outcome<RemoveRowsReport>> => {
  const [table, column, id, code] = seedOf(request)
  const keys = await open.metadata.keysWhere(table, column, [id])
  if (keys.length === 0) {
    throw new StorageError(code, `The workspace has no ${table.slice(0, -1)} ${id.slice(0, 200)}. Nothing was changed.`, {
      hint: 'Reload the list and try again.',
    })
  }
  return rowsOutcome(await selectRows(open, { seeds: [{ table, keys }] }))
}

const seedOf = (request: RequestOf<'remove_run' | 'remove_pipeline' | 'remove_chain'>) => {
  if (request.kind === 'remove_run') return ['runs', 'run_id', request.run_id, 'run_not_found'] as const
  if (request.kind === 'remove_pipeline') return ['pipelines', 'pipeline_id', request.pipeline_id, 'pipeline_not_found'] as const
  return ['chains', 'chain_id', request.chain_id, 'chain_not_found'] as const
}

/** Single predictions; chains and pipelines that lose their last one go too. Throws `prediction_not_found` when one is not there. */
export const planPredictions = async (
  open: OpenWorkspace,
  { prediction_ids }: RequestOf<'remove_predictions'>,
): Promise<Outcome<RemoveRowsReport>> => {
  const keys = await open.metadata.keysWhere('predictions', 'prediction_id', prediction_ids)
  const found = new Set(keys)
  const missing = prediction_ids.filter((id) => !found.has(id))
  if (missing.length > 0) {
    throw new StorageError(
      'prediction_not_found',
      `The workspace has no prediction ${(missing[0] ?? '').slice(0, 200)}${missing.length > 1 ? ` (and ${missing.length - 1} more)` : ''}. Nothing was changed.`,
      { hint: 'Reload the list and try again.', ids: missing.slice(0, 100) },
    )
  }
  return rowsOutcome(await selectRows(open, { seeds: [{ table: 'predictions', keys }], prune: 'pipelines' }))
}

export const rowsOutcome = (selection: Selection): Outcome<RemoveRowsReport> => {
  const counts = countSelection(selection)
  const report = { runs_removed: counts.runs, predictions_removed: counts.predictions, arrays_removed: counts.arrays }
  return { selection, report, warnings: [] }
}

/** All predictions of a dataset with their lineage, and everything that array files hold of it under ids that no other prediction has. Throws `arrays_corrupt`. */
export const planDataset = async (
  open: OpenWorkspace,
  { dataset_name }: RequestOf<'remove_dataset'>,
): Promise<Outcome<RemoveDatasetReport>> => {
  const name = { name: dataset_name }
  const predictions = await idsOf(
    open,
    `SELECT prediction_id AS id FROM ${storeAlias}.main.predictions WHERE dataset_name = $name ORDER BY 1`,
    name,
  )
  const pipelines = await idsOf(
    open,
    `SELECT pipeline_id AS id FROM ${storeAlias}.main.pipelines p WHERE dataset_name = $name AND NOT EXISTS (
       SELECT 1 FROM ${storeAlias}.main.predictions o WHERE o.pipeline_id = p.pipeline_id AND o.dataset_name <> $name) ORDER BY 1`,
    name,
  )
  const inFiles = await idsOf(open, 'SELECT DISTINCT prediction_id AS id FROM array_rows WHERE dataset_name = $name', name)
  refuseUnreadable(open.index, [dataset_name])
  const seeds = [
    { table: 'pipelines', keys: pipelines },
    { table: 'predictions', keys: predictions },
  ]
  const selection = await selectRows(open, { seeds, prune: 'runs', datasets: inFiles.length > 0 ? [dataset_name] : [] })
  const files = await filesWithDataset(open, dataset_name)
  return {
    selection,
    report: {
      predictions_removed: countSelection(selection).predictions,
      // Rows that are removed already are no items: where there is nothing else, nothing is done.
      parquet_deleted: itemsOf(selection, () => null).length > 0 && files.some(({ goes }) => goes),
    },
    warnings: warningsOfRows(files),
  }
}
