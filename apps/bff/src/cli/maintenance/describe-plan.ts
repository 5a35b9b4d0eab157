import type { MaintenanceItem } from '@nirs-workspace/types'
import { formatTable, printable } from '../table.ts'
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
  const bytes = datasets.reduce((sum, { bytes_before, bytes_after }) => sum + bytes_before - bytes_after, 0)
  return countLines([{ count, name: count === 1 ? 'row of an array file' : 'rows of array files', bytes }])
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
    ? 'Compacting itself is not undone: of what it drops, only what a removal marked is still in the trash.'
    : 'Everything goes to the trash of the workspace and comes back with restore. Space is freed once compact and empty-trash have run.'
