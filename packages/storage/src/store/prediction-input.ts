import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import type { ArrayRecord } from '../array-store/array-record.ts'
import { decodeNumbers } from '../json/decode-json.ts'
import { parseGiven } from '../options/check-options.ts'
import { maybeStoredText, newId, storedText } from '../options/option-schemas.ts'
import { checkArrays, samplesIn } from './check-arrays.ts'
import { copyArrays } from './copy-arrays.ts'
import { isJson, jsonOrNull, notJson } from './json-text.ts'
import { refuseOtherDataset } from './refuse-dataset.ts'

const score = z.custom<number | null>((value) => value === null || typeof value === 'number', 'is not a number').optional()
/** As wide as the columns of the store. */
const whole = z.int32().nullable().optional()
const json = z.record(z.string(), z.unknown()).refine(isJson, notJson).nullable().optional()

/** A prediction as it is saved. Scores may be NaN or infinite: a diverging model is a result too. */
export const PredictionInput = z.strictObject({
  /** Default: a new one. A prediction with the same natural key keeps the id that it has. */
  prediction_id: newId,
  pipeline_id: storedText,
  chain_id: storedText.nullable().optional(),
  dataset_name: storedText,
  model_name: storedText,
  model_class: storedText,
  fold_id: storedText,
  partition: z.enum(['train', 'val', 'test']),
  val_score: score,
  test_score: score,
  train_score: score,
  metric: storedText,
  task_type: storedText,
  /**
   * How many samples its arrays have; left out it is taken from them, and refused when they do not fit it. Kept with arrays only: in a
   * workspace it says that there are some, and that they are lost when they are not.
   */
  n_samples: whole,
  n_features: whole,
  scores: json,
  best_params: json,
  preprocessings: maybeStoredText,
  branch_id: whole,
  branch_name: storedText.nullable().optional(),
  exclusion_count: whole,
  exclusion_rate: score,
  refit_context: storedText.nullable().optional(),
})
export type PredictionInput = z.input<typeof PredictionInput>

/** What an array file holds of a prediction beside what its row says. y_true and y_pred have the same length when both are given. */
export type PredictionArrays = Pick<ArrayRecord, 'y_true' | 'y_pred' | 'y_proba' | 'y_proba_shape' | 'sample_indices' | 'weights' | 'extra'>

/** Waits for the next flush. */
export interface BufferedPrediction {
  /** The id unless the natural key has one already. */
  readonly id: string
  readonly row: z.output<typeof PredictionInput>
  /** Null: those saved before stay if they are of the same result, and go otherwise. */
  readonly arrays: PredictionArrays | null
}

export const bufferedPrediction = (input: PredictionInput, arrays: PredictionArrays | undefined): BufferedPrediction => {
  const row = parseGiven(PredictionInput, input, { name: 'the prediction' })
  const given = arrays ?? null
  const id = row.prediction_id ?? randomUUID()
  if (given === null) return { id, row, arrays: null }
  checkArrays(given)
  return { id, row: { ...row, n_samples: samplesIn(given, row.n_samples ?? null) }, arrays: copyArrays(given) }
}

/** One text for the columns by which a prediction is told from others. */
export const naturalKeyOf = ({ row }: BufferedPrediction): string =>
  JSON.stringify([row.pipeline_id, row.chain_id ?? null, row.fold_id, row.partition, row.model_name, row.branch_id ?? null])

/**
 * Of several with one natural key the last counts, at the place of the first and, when it brings none and is the same result, with the
 * arrays of the one before. Throws `validation` when they are of different datasets.
 */
export const lastOfEach = (buffered: readonly BufferedPrediction[]): BufferedPrediction[] => {
  const last = new Map<string, BufferedPrediction>()
  for (const one of buffered) {
    const before = last.get(naturalKeyOf(one))
    if (before !== undefined) refuseOtherDataset(one, before.row.dataset_name)
    last.set(naturalKeyOf(one), before === undefined ? one : following(one, before))
  }
  return [...last.values()]
}

const following = (one: BufferedPrediction, before: BufferedPrediction): BufferedPrediction => {
  if (one.arrays !== null || !isSameResult(one.row, before.row)) return { ...one, id: before.id }
  return { id: before.id, row: { ...one.row, n_samples: before.row.n_samples }, arrays: before.arrays }
}

/** Whether the arrays of one are those of the other: a prediction may be saved again to put right what is not measured. */
const isSameResult = (one: BufferedPrediction['row'], other: BufferedPrediction['row']): boolean =>
  one.metric === other.metric &&
  (['val_score', 'test_score', 'train_score'] as const).every(
    (name) => (one[name] ?? null) === (other[name] ?? null) || bothNaN(one[name], other[name]),
  ) &&
  isSameScores(one.scores, jsonOrNull(other.scores)) &&
  (one.n_samples ?? other.n_samples ?? null) === (other.n_samples ?? one.n_samples ?? null)

/** Whether the scores that come are those of the text; left out, on either side, they say nothing. */
export const isSameScores = (scores: BufferedPrediction['row']['scores'], kept: string | null): boolean => {
  const text = jsonOrNull(scores)
  return text === null || kept === null || isDeepStrictEqual(decodeNumbers(text), decodeNumbers(kept))
}

const bothNaN = (one: unknown, other: unknown): boolean => Number.isNaN(one) && Number.isNaN(other)
