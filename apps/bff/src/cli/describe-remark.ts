import { commandText } from './command-text.ts'
import { printable } from './table.ts'

interface Remark {
  readonly code: string
  readonly detail: string
  readonly count: number
  readonly ids?: readonly string[] | undefined
}

const namedIds = 5

/** Lines on a finding or a warning about a workspace: what it is, which ones it means (some of them) and what to do next. */
export const describeRemark = (path: string, label: string, remark: Remark): string[] => {
  const { detail, count, ids = [] } = remark
  const step = nextStep(path, remark)
  return [
    `${label}: ${printable(detail)} (${count})`,
    ...(ids.length === 0 ? [] : [`  which: ${someOf(ids, count)}`]),
    ...(step === undefined ? [] : [`  next: ${printable(step)}`]),
  ]
}

const someOf = (ids: readonly string[], count: number): string => {
  const named = ids.slice(0, namedIds)
  const more = Math.max(count, ids.length) - named.length
  return `${named.map((id) => (id === '' ? '(no id)' : printable(id))).join(', ')}${more > 0 ? ` and ${more} more; --json names more of them` : ''}`
}

const nextStep = (path: string, { code, ids = [] }: Remark): string | undefined => {
  const id = ids.find((one) => one !== '')
  if (code === 'orphan_arrays') return `${commandText('clean-dead-links', path, '--dry-run')} shows what would go`
  return aboutPredictions.has(code) && id !== undefined ? `${commandText('show', path, id, '--arrays')} shows one` : undefined
}

/** Their ids are those of predictions that can be looked at. */
const aboutPredictions: ReadonlySet<string> = new Set([
  'length_mismatch',
  'predictions_without_arrays',
  'proba_shape',
  'null_elements',
  'dataset_mismatch',
  'duplicate_array_rows',
  'duplicate_prediction_ids',
  'stale_parquet_rows',
])
