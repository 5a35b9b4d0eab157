import type { MigrationWarning } from '@nirs-workspace/types'
import { columnOf, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import { counted } from '../workspace/counted-text.ts'
import { listColumns } from './array-columns.ts'
import { warning } from './survey-store.ts'

/** Ids of predictions whose arrays are odd, which a migration keeps as they are. */
export interface ValueOddities {
  readonly withNulls: Iterable<string>
  /** With as many measured values as predicted ones they are not. */
  readonly unequal: Iterable<string>
}

/** The same words before and after. */
export const valueWarnings = ({ withNulls, unequal }: ValueOddities): MigrationWarning[] => [
  ...about('null_elements', withNulls, 'null elements in an array; they stay null'),
  ...about('length_mismatch', unequal, 'arrays of different lengths; they are kept as they are'),
]

const about = (code: MigrationWarning['code'], found: Iterable<string>, what: string): MigrationWarning[] => {
  const ids = [...found].sort().map((id) => ({ id }))
  return ids.length === 0 ? [] : [warning(code, `${counted(ids.length, 'prediction has', 'predictions have')} ${what}.`, ids)]
}

/** Finds them among rows that pass by: a query of its own would read every array once more. */
export class OddityFinder implements ValueOddities {
  readonly withNulls = new Set<string>()
  readonly unequal = new Set<string>()

  look(block: RowBlock): void {
    const hasNulls = nullRows(block)
    const unequal = unequalRows(block)
    if (hasNulls.length === 0 && unequal.length === 0) return
    const ids = columnOf(block, 'prediction_id')
    const offsets = offsetsOf(ids)
    for (const row of hasNulls) this.withNulls.add(textAt(ids, offsets, row) ?? '')
    for (const row of unequal) this.unequal.add(textAt(ids, offsets, row) ?? '')
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
