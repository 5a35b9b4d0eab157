import type { FloatList, IntegerList } from '../engine/number-list.ts'

/** A list of doubles as a caller has it: plain numbers (null for a null element), a typed array, or a list with its nulls apart. */
export type FloatInput = readonly (number | null)[] | Float64Array | FloatList
/** As `FloatInput`, of signed 32-bit integers. */
export type IntegerInput = readonly (number | null)[] | Int32Array | IntegerList
/** What a column of a later release can hold. */
export type ExtraInput = string | number | FloatInput | IntegerInput | null

/**
 * One row to write: the fourteen columns of an array file by their names. What is left out is null. `y_proba` is flat, row by row, with
 * its `y_proba_shape` as [samples, classes]. Rows are told apart by dataset_name and prediction_id.
 */
export interface ArrayRecord {
  readonly prediction_id: string
  readonly dataset_name: string
  readonly model_name?: string | null | undefined
  readonly fold_id?: string | null | undefined
  readonly partition?: string | null | undefined
  readonly metric?: string | null | undefined
  readonly val_score?: number | null | undefined
  readonly task_type?: string | null | undefined
  readonly y_true?: FloatInput | null | undefined
  readonly y_pred?: FloatInput | null | undefined
  readonly y_proba?: FloatInput | null | undefined
  readonly y_proba_shape?: IntegerInput | null | undefined
  readonly sample_indices?: IntegerInput | null | undefined
  /** Ensemble weights, one per fold: not sample weights. */
  readonly weights?: FloatInput | null | undefined
  /** Columns of later releases, by name. A column new to its file is added: text, double, list of double, list of int32. */
  readonly extra?: Readonly<Record<string, ExtraInput>> | undefined
  /** What the metadata knows of the prediction, for the summary in the footer; not stored with the row. */
  readonly about?: RecordContext | undefined
}

export interface RecordContext {
  readonly branch_name?: string | null | undefined
  readonly refit_context?: string | null | undefined
  /** As the store writes it: `YYYY-MM-DD HH:MM:SS[.ffffff]`. Default: the time of saving. */
  readonly created_at?: string | null | undefined
}

/** One row as it was read; can be saved again as it is. */
export interface StoredRecord extends ArrayRecord {
  readonly model_name: string | null
  readonly fold_id: string | null
  readonly partition: string | null
  readonly metric: string | null
  readonly val_score: number | null
  readonly task_type: string | null
  readonly y_true: FloatList | null
  readonly y_pred: FloatList | null
  readonly y_proba: FloatList | null
  readonly y_proba_shape: IntegerList | null
  readonly sample_indices: IntegerList | null
  readonly weights: FloatList | null
  readonly extra: Readonly<Record<string, string | number | FloatList | IntegerList | null>>
}
