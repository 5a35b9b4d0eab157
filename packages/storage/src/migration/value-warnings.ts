import type { MigrationWarning } from '@nirs-workspace/types'
import { fitsSamples } from '../arrays/fits-samples.ts'
import { columnOf, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import { counted } from '../workspace/counted-text.ts'
import { listColumns } from './array-columns.ts'
import { samplesColumn } from './samples-column.ts'
import { warning } from './survey-store.ts'

/** Ids of predictions whose arrays are odd, which a migration keeps as they are. */
export interface ValueOddities {
  readonly withNulls: Iterable<string>
  /** With as many measured values as predicted ones they are not. */
  readonly unequal: Iterable<string>
  /** With another number of values than the store says they have samples: as `fitsSamples` has it. */
  readonly misfits: Iterable<string>
}

/** The same words before and after. */
export const valueWarnings = ({ withNulls, unequal, misfits }: ValueOddities): MigrationWarning[] => [
  ...about('null_elements', withNulls, 'null elements in an array; they stay null'),
  ...about('length_mismatch', unequal, 'arrays of different lengths; they are kept as they are'),
  ...about(
    'samples_mismatch',
    misfits,
    'arrays with another number of values than the store says there are samples; they are kept as they are, but neither shown nor exported: an id may have changed',
  ),
]

const about = (code: MigrationWarning['code'], found: Iterable<string>, what: string): MigrationWarning[] => {
  const ids = [...found].sort().map((id) => ({ id }))
  return ids.length === 0 ? [] : [warning(code, `${counted(ids.length, 'prediction has', 'predictions have')} ${what}.`, ids)]
}

/** Finds them among rows that pass by: a query of its own would read every array once more. */
export class OddityFinder implements ValueOddities {
  readonly withNulls = new Set<string>()
  readonly unequal = new Set<string>()
  readonly misfits = new Set<string>()

  look(block: RowBlock): void {
    const hasNulls = nullRows(block)
    const [unequal, misfits] = [unequalRows(block), misfitRows(block)]
    if (hasNulls.length === 0 && unequal.length === 0 && misfits.length === 0) return
    const ids = columnOf(block, 'prediction_id')
    const offsets = offsetsOf(ids)
    for (const row of hasNulls) this.withNulls.add(textAt(ids, offsets, row) ?? '')
    for (const row of unequal) this.unequal.add(textAt(ids, offsets, row) ?? '')
    for (const row of misfits) this.misfits.add(textAt(ids, offsets, row) ?? '')
  }
}

const nullRows = (block: RowBlock): number[] =>
  listColumns.flatMap((name) => {
    const column = columnOf(block, name)
    const { nulls } = column
    if (nulls === null) return []
    const offsets = offsetsOf(column)
    return Array.from(offsets.subarray(0, column.rows).keys()).filter((row) => nulls.subarray(offsets[row], offsets[row + 1]).includes(1))
  })

const unequalRows = (block: RowBlock): number[] => {
  const [measured, predicted] = [columnOf(block, 'y_true'), columnOf(block, 'y_pred')]
  const rows: number[] = []
  for (let row = 0; row < measured.rows; row++) {
    const hasBoth = measured.valid[row] === 1 && predicted.valid[row] === 1
    if (hasBoth && measured.lengths?.[row] !== predicted.lengths?.[row]) rows.push(row)
  }
  return rows
}

const misfitRows = (block: RowBlock): number[] => {
  const said = block.find(({ name }) => name === samplesColumn)
  if (said === undefined) return []
  const samples = new Int32Array(said.values.slice().buffer)
  const length = (name: string) => {
    const { valid, lengths } = columnOf(block, name)
    return (row: number) => (valid[row] === 1 ? (lengths?.[row] ?? 0) : null)
  }
  const [measured, predicted, indices] = [length('y_true'), length('y_pred'), length('sample_indices')]
  const lengthsAt = (row: number) => ({ y_true: measured(row), y_pred: predicted(row), sample_indices: indices(row) })
  return Array.from(samples.keys()).filter((row) => !fitsSamples(said.valid[row] === 1 ? (samples[row] ?? null) : null, lengthsAt(row)))
}
