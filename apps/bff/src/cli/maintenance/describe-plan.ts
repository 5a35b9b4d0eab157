import type { CompactDatasetsReport, MaintenanceItem } from '@nirs-workspace/types'
import { formatBytes, formatTable, printable } from '../table.ts'
import { wrapText } from '../wrap-text.ts'
import { countLines, describeCounts } from './describe-counts.ts'
import { describeFigures, describeKept } from './describe-kept.ts'
import type { PlanPreview } from './preview-plan.ts'

/** What would happen, as it is read before the question: what goes, some of it by name, what stays and why. */
export const describePlan = (plan: PlanPreview, path: string): string =>
  [
    `Would ${plan.kind === 'compact' ? 'drop' : 'remove'} from ${printable(path)}:`,
    describeWhatGoes(plan),
    describeFigures(plan),
    describeExamples(plan.examples, plan.items_total),
    listed('Kept:', describeKept(plan)),
    ...plan.warnings.map((warning) => wrapText(`warning: ${printable(warning)}`)),
    wrapText(whereItGoes(plan), { rest: 0 }),
  ]
    .filter((part) => part !== '')
    .join('\n')

/** Nothing would happen: what was looked at and why it stays. */
export const describeNothing = (plan: PlanPreview): string =>
  [
    `There is nothing to ${plan.kind === 'compact' ? 'drop' : 'remove'}.`,
    listed('Kept:', describeKept(plan)),
    ...plan.warnings.map((warning) => wrapText(`warning: ${printable(warning)}`)),
  ]
    .filter((part) => part !== '')
    .join('\n')

export const describeWhatGoes = (plan: PlanPreview): string => {
  if (!('datasets' in plan)) return describeCounts(plan.counts, { arrays: plan.array_bytes_estimated, files: plan.counts.bytes })
  const datasets = Object.values(plan.datasets)
  const count = datasets.reduce((sum, { rows_removed }) => sum + rows_removed, 0)
  // What they take up of the files as they are: a file that is written anew may shrink, or grow, for other reasons.
  const bytes = datasets.reduce((sum, { rows_before, rows_removed, bytes_before }) => sum + (bytes_before * rows_removed) / rows_before, 0)
  return countLines([{ count, name: count === 1 ? 'row of an array file' : 'rows of array files', bytes: Math.round(bytes) }])
}

/** Sizes of the files that a compaction has written anew or taken away. */
export const describeRewritten = (report: CompactDatasetsReport): string => {
  const rewritten = Object.values(report.datasets).filter(({ rows_removed }) => rows_removed > 0)
  const before = rewritten.reduce((sum, { bytes_before }) => sum + bytes_before, 0)
  const after = rewritten.reduce((sum, { bytes_after }) => sum + bytes_after, 0)
  return `Array files: ${formatBytes(before)}, now ${formatBytes(after)}`
}

const describeExamples = (examples: readonly MaintenanceItem[], total: number): string => {
  const shown = examples.filter(({ what }) => what !== 'array_file')
  if (shown.length === 0) return ''
  const rows = shown.map(({ what, table, id, dataset_name }) => [table ?? what, id, dataset_name ?? ''])
  const table = formatTable(['what', 'id', 'dataset'], rows, { widest: 40 })
  return `Examples, ${shown.length} of ${total}:\n${table.replaceAll(/^/gm, '  ')}`
}

const listed = (heading: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : [heading, ...lines.map((line) => wrapText(line, { first: 2 }))].join('\n')

const whereItGoes = ({ kind }: PlanPreview): string =>
  kind === 'compact'
    ? 'Bytes are the share of these rows in their files; written anew, a file may become smaller than that, or larger. Compacting itself is not undone: of what it drops, only what a removal marked is still in the trash.'
    : 'Everything goes to the trash of the workspace and comes back with restore. Space is freed once compact and empty-trash have run.'
