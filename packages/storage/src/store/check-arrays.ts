import type { FloatInput, IntegerInput } from '../array-store/array-record.ts'
import { lengthOf } from '../array-store/record-block.ts'
import { fitsSamples } from '../arrays/fits-samples.ts'
import { StorageError } from '../errors.ts'
import { arrayFileColumns, listColumns } from '../migration/array-columns.ts'
import type { PredictionArrays } from './prediction-input.ts'

/**
 * Refuses arrays that would be lost without a word, and those that cannot be of one prediction. What a loaded row holds beside its arrays
 * is passed over. Throws `validation`.
 */
export const checkArrays = (arrays: PredictionArrays): void => {
  for (const name of Object.keys(arrays)) {
    if (Object.hasOwn(arrayFileColumns, name) || name === 'extra' || name === 'about') continue
    throw new StorageError('validation', `A prediction has no array ${JSON.stringify(name.slice(0, 100))}. Nothing was changed.`, {
      hint: `Its arrays are ${listColumns.join(', ')} and y_proba_shape; columns of later releases go into extra.`,
    })
  }
  const [measured, predicted] = [sizeOf(arrays.y_true), sizeOf(arrays.y_pred)]
  if (measured === null || predicted === null || measured === predicted) return
  throw new StorageError('validation', `y_true has ${measured} values and y_pred ${predicted}. Nothing was changed.`, {
    hint: 'Save as many predicted values as measured ones, or leave out what is not known.',
  })
}

/**
 * The number of samples of these arrays: what the caller says, or without that (null, 0) what they show; null when they show nothing.
 * Throws `validation` when the two do not fit.
 */
export const samplesIn = (arrays: PredictionArrays, said: number | null): number | null => {
  const lengths = { y_true: sizeOf(arrays.y_true), y_pred: sizeOf(arrays.y_pred), sample_indices: sizeOf(arrays.sample_indices) }
  const values = lengths.y_true ?? lengths.y_pred
  if (said === null || said === 0) {
    // Several targets lie one after the other.
    const isMultiple = values !== null && Boolean(lengths.sample_indices) && values % (lengths.sample_indices ?? 1) === 0
    return values === null || isMultiple ? lengths.sample_indices : values
  }
  if (fitsSamples(said, lengths)) return said
  throw new StorageError('validation', `The arrays have ${values} values and n_samples says ${said}. Nothing was changed.`, {
    hint: 'Leave n_samples out: it is taken from the arrays.',
  })
}

const sizeOf = (list: FloatInput | IntegerInput | null | undefined): number | null =>
  list === null || list === undefined ? null : lengthOf(list)
