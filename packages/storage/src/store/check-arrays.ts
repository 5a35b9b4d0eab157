import type { FloatInput } from '../array-store/array-record.ts'
import { lengthOf } from '../array-store/record-block.ts'
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

const sizeOf = (list: FloatInput | null | undefined): number | null => (list === null || list === undefined ? null : lengthOf(list))
