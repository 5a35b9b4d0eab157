import * as z from 'zod'
import type { FloatList, IntegerList } from '../engine/number-list.ts'
import { flag, optionsOf, queryShape } from '../options/option-schemas.ts'

/** The arrays of one prediction. `y_proba` is flat, row-major; `y_proba_shape` is [samples, classes], or [samples] when it was one-dimensional. */
export interface ArrayRow {
  readonly prediction_id: string
  readonly y_true: FloatList | null
  readonly y_pred: FloatList | null
  readonly y_proba: FloatList | null
  readonly y_proba_shape: readonly number[] | null
  readonly sample_indices: IntegerList | null
  /** Ensemble weights, one per fold: not sample weights. */
  readonly weights: FloatList | null
}

export const arrayColumns = ['y_true', 'y_pred', 'y_proba', 'sample_indices', 'weights'] as const
export type ArrayColumn = (typeof arrayColumns)[number]

export interface LoadOptions {
  /** Columns to read; the others come as null. Default: all. */
  columns?: readonly ArrayColumn[] | undefined
  /** Rows in order of the UTF-8 bytes of prediction_id. Default: as stored. */
  ordered?: boolean | undefined
  signal?: AbortSignal | undefined
}

export const LoadChoice = optionsOf<LoadOptions>({ ...queryShape, columns: z.array(z.enum(arrayColumns)).optional(), ordered: flag })

/**
 * Where arrays come from. Ids without an array row yield nothing; of duplicates the last one counts; damage is an
 * error (`arrays_corrupt`, `store_unreadable`, …), never a missing row. Nothing stays open or locked once the iteration has ended.
 */
export interface ArraySource {
  load(ids: readonly string[], options?: LoadOptions): AsyncIterable<ArrayRow[]>
}
