import type { FloatList, IntegerList, NumberList } from '../engine/number-list.ts'
import { isArrayFileColumn } from '../migration/array-columns.ts'
import { type ColumnBlock, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import type { StoredRecord } from './array-record.ts'

/** The rows of a block as records, each with numbers of its own: nothing of the block is held on to. */
export const blockRecords = (block: RowBlock, rows: readonly number[]): StoredRecord[] => {
  const columns = new Map(block.map((column) => [column.name, { column, offsets: offsetsOf(column) }]))
  const extras = block.map(({ name }) => name).filter((name) => !isArrayFileColumn(name))
  const text = (name: string, row: number) => textIn(columns.get(name), row)
  const floats = (name: string, row: number) => floatsIn(columns.get(name), row)
  const integers = (name: string, row: number) => integersIn(columns.get(name), row)
  return rows.map((row) => ({
    prediction_id: text('prediction_id', row) ?? '',
    dataset_name: text('dataset_name', row) ?? '',
    model_name: text('model_name', row),
    fold_id: text('fold_id', row),
    partition: text('partition', row),
    metric: text('metric', row),
    val_score: numberIn(columns.get('val_score'), row),
    task_type: text('task_type', row),
    y_true: floats('y_true', row),
    y_pred: floats('y_pred', row),
    y_proba: floats('y_proba', row),
    y_proba_shape: integers('y_proba_shape', row),
    sample_indices: integers('sample_indices', row),
    weights: floats('weights', row),
    // No prototype: a column may be called anything.
    extra: Object.assign(Object.create(null), Object.fromEntries(extras.map((name) => [name, valueIn(columns.get(name), row)]))),
  }))
}

interface Placed {
  readonly column: ColumnBlock
  readonly offsets: Uint32Array
}

const valueIn = (placed: Placed | undefined, row: number): StoredRecord['extra'][string] => {
  if (placed?.column.lengths === null) return numberIn(placed, row)
  if (placed?.column.width === 1) return textIn(placed, row)
  return placed?.column.width === 4 ? integersIn(placed, row) : floatsIn(placed, row)
}

const textIn = (placed: Placed | undefined, row: number): string | null =>
  placed === undefined ? null : textAt(placed.column, placed.offsets, row)

const numberIn = (placed: Placed | undefined, row: number): number | null => {
  if (placed === undefined || placed.column.valid[row] !== 1) return null
  const { values, width } = placed.column
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  return width === 8 ? view.getFloat64(row * 8, true) : view.getInt32(row * 4, true)
}

const floatsIn = (placed: Placed | undefined, row: number): FloatList | null =>
  listIn(placed, row, (bytes) => new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8))

const integersIn = (placed: Placed | undefined, row: number): IntegerList | null =>
  listIn(placed, row, (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))

/** The elements are copied: where they lie in a page need not be where numbers may begin. */
const listIn = <V extends Float64Array | Int32Array>(
  placed: Placed | undefined,
  row: number,
  view: (bytes: Uint8Array) => V,
): NumberList<V> | null => {
  if (placed === undefined || placed.column.valid[row] !== 1) return null
  const { column, offsets } = placed
  const [start, end] = [offsets[row] ?? 0, offsets[row + 1] ?? 0]
  const nulls = column.nulls?.subarray(start, end) ?? null
  return {
    values: view(Uint8Array.prototype.slice.call(column.values, start * column.width, end * column.width)),
    nulls: nulls?.includes(1) ? nulls.slice() : null,
  }
}
