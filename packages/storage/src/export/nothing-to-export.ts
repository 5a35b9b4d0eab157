import { StorageError } from '../errors.ts'
import type { DatasetExport } from './export-context.ts'
import type { ExportPlan } from './export-plan.ts'

/** A file without a row would look like data: it is refused with the reason why there is none. */
export const nothingToExport = ({ dataset_name }: DatasetExport, { predictions, removed }: ExportPlan): StorageError => {
  const name = JSON.stringify(dataset_name)
  if (predictions > 0)
    return refused(`No prediction of ${name} has arrays, so there are no samples to write.`, 'Export one row per prediction.')
  if (removed > 0) return refused(`The predictions of ${name} that were asked for have been removed.`, 'Restore them from the trash.')
  return refused(`No prediction of ${name} passes the filters.`, widen)
}

/** The refusal of an export of which every dataset was left out, for these reasons; none, when there are no datasets. */
export const nothingInAnyDataset = (reasons: readonly StorageError[]): StorageError => {
  const [only] = reasons
  if (only === undefined) return refused('There are no predictions to export.', 'Save predictions with nirs4all first.')
  return reasons.length === 1 ? only : refused(`None of the ${reasons.length} datasets has a row for this export.`, widen)
}

const widen = 'Choose other datasets or filters.'
const refused = (what: string, hint: string) => new StorageError('nothing_to_export', `${what} Nothing was written.`, { hint })
