import { counted } from './counted-text.ts'
import type { InspectionFinding } from './finding.ts'

/** Predictions that a finding is about; the count may be more than the ids named. */
export interface Concerned {
  readonly count: number
  readonly ids: string[]
}

/** Predictions whose arrays are in store.duckdb.bak and nowhere else. */
export const lostArrays = (severity: 'error' | 'warning', { count, ids }: Concerned): InspectionFinding => {
  const lost = `nirs4all does not find the arrays of ${counted(count, 'prediction', 'predictions')} any more: they are in store.duckdb.bak only.`
  const detail = `${lost} They are shown and exported from there: keep that file. \`rescue\` brings them back.`
  return { code: 'predictions_without_arrays', severity, count, detail, ids }
}

/** Predictions whose arrays are nowhere, also not in a file that cannot be read. */
export const withoutArrays = ({ count, ids }: Concerned): InspectionFinding => ({
  code: 'predictions_without_arrays',
  severity: 'warning',
  count,
  detail: `${counted(count, 'prediction has', 'predictions have')} no arrays.`,
  ids,
})

export const unreadableBackup = (problem: string): InspectionFinding => ({
  code: 'backup_unreadable',
  severity: 'error',
  count: 1,
  detail: `Arrays may be in store.duckdb.bak, which cannot be read. ${problem}`,
})

/** The sentence for a file that cannot be read, with a space before it; '' when it concerns no prediction that is known. */
export const concerning = (predictions: number): string =>
  predictions === 0 ? '' : ` The arrays of ${counted(predictions, 'prediction', 'predictions')} cannot be read because of that.`
