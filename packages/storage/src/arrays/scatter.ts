import type { PredictionRow, Scatter } from '@nirs-workspace/types'
import { floatList } from '../engine/number-list.ts'
import { classificationFigures } from '../metrics/classification.ts'
import { regressionFigures } from '../metrics/regression.ts'
import type { ArrayRow } from './array-source.ts'
import { toWireArrays } from './to-wire.ts'

type Described = Pick<PredictionRow, 'prediction_id' | 'dataset_name' | 'model_name' | 'fold_id' | 'partition' | 'metric' | 'task_type'>

const none = floatList([])

/**
 * Measured against predicted, with the figures of the task. A null list is an empty one here. A classification whose predictions are not
 * classes (too many different values) gets the figures of a regression. Lists of different lengths get none: which of their values belong
 * together, nobody knows.
 */
export const makeScatter = (row: Described, arrays: ArrayRow): Scatter => {
  const [yTrue, yPred] = [arrays.y_true ?? none, arrays.y_pred ?? none]
  const isPaired = yTrue.values.length === yPred.values.length
  const classification = isPaired && row.task_type.includes('classification') ? classificationFigures(yTrue, yPred, row.task_type) : null
  const wire = toWireArrays(arrays)
  return {
    prediction_id: row.prediction_id,
    dataset_name: row.dataset_name,
    model_name: row.model_name,
    fold_id: row.fold_id,
    partition: row.partition,
    metric: row.metric,
    task_type: row.task_type,
    y_true: wire.y_true ?? [],
    y_pred: wire.y_pred ?? [],
    sample_indices: wire.sample_indices,
    regression: isPaired && classification === null ? regressionFigures(yTrue, yPred) : null,
    classification,
  }
}
