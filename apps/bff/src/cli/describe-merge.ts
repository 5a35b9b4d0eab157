import type { MergeConflict, MergedSource, MergePlan, MergeReport } from '@nirs-workspace/types'
import { commandText } from './command-text.ts'
import { formatTable, printable } from './table.ts'
import { wrapText } from './wrap-text.ts'

/** What a merge would do, as it is read before the question. */
export const describeMergePlan = (plan: MergePlan): string =>
  joined([
    `Would merge into ${printable(plan.target)}${plan.creates_target ? ', which would be made' : ''} (${plan.on_conflict}):`,
    describeSources(plan.sources),
    describeRows(plan),
    describeConflicts(plan),
    ...plan.warnings.map((warning) => wrapText(`warning: ${printable(warning)}`)),
    'Sources are only read. What gives way in the target goes to its trash.',
  ])

export const describeMerged = (report: MergeReport): string =>
  joined([
    `Merged into ${printable(report.target)} (${report.on_conflict}):`,
    describeSources(report.sources),
    describeRows(report),
    ...[...report.warnings, ...report.errors].map((warning) => wrapText(`warning: ${printable(warning)}`)),
    report.trash_operation === null
      ? ''
      : `What gave way is in the trash as ${report.trash_operation}. To bring it back, once what has its place is removed:\n  ${commandText('restore', report.target, report.trash_operation)}`,
    describeRecord(report),
  ])

const describeRecord = ({ record_path, created_target }: MergeReport): string => {
  if (record_path !== null) return `recorded in ${record_path}`
  return created_target
    ? 'The target was made and is empty: the sources hold nothing.'
    : 'Everything was there already; nothing was written.'
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n')

const describeSources = (sources: readonly MergedSource[]): string =>
  formatTable(
    ['source', 'predictions', 'new', 'there', 'replace', 'skipped', 'arrays'],
    sources.map(({ path, predictions_read, predictions_merged, already_there, replaced, skipped, arrays_added }) => [
      shortened(path),
      predictions_read,
      predictions_merged,
      already_there,
      replaced,
      skipped,
      arrays_added,
    ]),
  )

/** The end of a path tells more than its beginning. */
const shortened = (path: string, widest = 28): string => (path.length > widest ? `…${path.slice(1 - widest)}` : path)

const describeRows = ({ rows, remapped, datasets_merged }: Pick<MergePlan, 'rows' | 'remapped' | 'datasets_merged'>): string => {
  const counts = Object.entries(rows).filter(([, count]) => count > 0)
  return joined([
    counts.length === 0
      ? ''
      : wrapText(`with ${counts.map(([name, count]) => `${count} ${count === 1 ? name.slice(0, -1) : name}`).join(', ')}`),
    remapped === 0 ? '' : wrapText(`${remapped} rows under a new id, as the target uses theirs for something else`),
    datasets_merged.length === 0 ? '' : wrapText(`datasets: ${datasets_merged.map(printable).join(', ')}`),
  ])
}

const shownConflicts = 8
const decisions: Record<MergeConflict['decision'], string> = {
  keep_target: 'target stays',
  take_source: 'source wins',
  keep_both: 'both stay',
  later_source: 'later source',
}

const describeConflicts = ({ conflicts, conflicts_total }: MergePlan): string => {
  if (conflicts_total === 0) return ''
  const shown = conflicts.slice(0, shownConflicts)
  const table = formatTable(
    ['source', 'dataset', 'model', 'fold', 'partition', 'decision'],
    shown.map(({ source, dataset_name, model_name, fold_id, partition, decision }) => [
      shortened(source, 16),
      dataset_name,
      model_name,
      fold_id,
      partition,
      decisions[decision],
    ]),
    { widest: 16 },
  )
  return `Conflicts, ${shown.length} of ${conflicts_total}:\n${table.replaceAll(/^/gm, '  ')}`
}
