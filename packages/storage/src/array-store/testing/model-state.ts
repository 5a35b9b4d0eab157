import type { ArrayRecord } from '../array-record.ts'
import type { ArrayStore } from '../array-store.ts'
import { bitsOf } from './made-records.ts'

/** What the store should hold: the rows by dataset and id, and the ids that are removed. */
export interface Model {
  readonly rows: Map<string, Map<string, ArrayRecord>>
  readonly removed: Set<string>
}

/** Every row by dataset and id, down to the bits; rows that are marked as removed are not there. */
export type State = Record<string, unknown>

export const saveInModel = (model: Model, records: readonly ArrayRecord[]): void => {
  // What was removed of these ids in other datasets does not come back with the mark that goes.
  for (const { prediction_id } of records)
    if (model.removed.has(prediction_id)) for (const rows of model.rows.values()) rows.delete(prediction_id)
  for (const row of records) {
    const rows = model.rows.get(row.dataset_name) ?? new Map<string, ArrayRecord>()
    rows.set(row.prediction_id, row)
    model.rows.set(row.dataset_name, rows)
    model.removed.delete(row.prediction_id)
  }
}

const bitsOfNumber = (value: number | null | undefined) =>
  value === null || value === undefined ? null : bitsOf({ values: Float64Array.of(value), nulls: null })
const bitsOfList = (values: unknown) =>
  Array.isArray(values)
    ? bitsOf({ values: Float64Array.from(values, (one) => one ?? 0), nulls: Uint8Array.from(values, (one) => (one === null ? 1 : 0)) })
    : null

export const stateOfModel = ({ rows, removed }: Model): State => {
  const state = new Map<string, unknown>()
  for (const [dataset, records] of rows) {
    for (const [one, row] of records) {
      if (removed.has(one)) continue
      state.set(JSON.stringify([dataset, one]), [
        row.model_name ?? null,
        row.metric ?? null,
        bitsOfNumber(row.val_score),
        bitsOfList(row.y_true),
        bitsOfList(row.y_pred),
        bitsOfList(row.weights),
        row.sample_indices ?? null,
        bitsOfList(row.extra?.X),
        row.extra?.note ?? null,
      ])
    }
  }
  return Object.fromEntries([...state].sort())
}

export const stateOf = async (store: ArrayStore): Promise<State> => {
  const state = new Map<string, unknown>()
  for (const dataset of await store.listDatasets()) {
    for await (const records of store.loadDataset(dataset)) {
      for (const row of records) {
        const X = row.extra.X
        state.set(JSON.stringify([dataset, row.prediction_id]), [
          row.model_name,
          row.metric,
          bitsOfNumber(row.val_score),
          bitsOf(row.y_true),
          bitsOf(row.y_pred),
          bitsOf(row.weights),
          row.sample_indices === null ? null : Array.from(row.sample_indices.values),
          typeof X === 'object' ? bitsOf(X) : null,
          row.extra.note ?? null,
        ])
      }
    }
  }
  return Object.fromEntries([...state].sort())
}
