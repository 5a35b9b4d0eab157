import type { ExportCount } from '@nirs-workspace/types'
import type { Text } from '../../text/en.ts'
import type { ExportForm } from './export-request.ts'

/** What a reader of the file should know of the chosen datasets, as the file itself says it. */
export const exportWarnings = (
  { datasets, removals_damaged }: ExportCount,
  { datasets: chosen, layout }: Pick<ExportForm, 'datasets' | 'layout'>,
  { export: text }: Text,
): string[] => {
  const taken = datasets.filter(({ dataset_name }) => chosen.includes(dataset_name))
  const sum = (count: (dataset: ExportCount['datasets'][number]) => number): number =>
    taken.reduce((total, dataset) => total + count(dataset), 0)
  const [removed, bare] = [sum((dataset) => dataset.removed), sum((dataset) => dataset.without_arrays)]
  const all = sum((dataset) => dataset.predictions) + (layout === 'sample' ? bare : 0)
  return [
    ...(removals_damaged ? [text.removalsDamaged] : []),
    ...(removed > 0 ? [text.removed(removed)] : []),
    ...(bare > 0 ? [text.withoutArrays[layout](bare, all)] : []),
  ]
}
