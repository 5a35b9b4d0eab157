import { StorageError } from '../errors.ts'
import type { BufferedPrediction } from './prediction-input.ts'

const quoted = (name: string): string => JSON.stringify(name.slice(0, 200))

/** A prediction by what tells it apart in its pipeline. */
export const describedPrediction = ({ row }: BufferedPrediction): string =>
  `model ${quoted(row.model_name)}, fold ${quoted(row.fold_id)}, ${row.partition}`

/**
 * The natural key has no dataset, since a pipeline belongs to one: a prediction of another dataset would take the place of this one.
 * Throws `validation`; nothing has been written before.
 */
export const refuseOtherDataset = (one: BufferedPrediction, known: string): void => {
  const { row } = one
  if (row.dataset_name === known) return
  throw new StorageError(
    'validation',
    `The pipeline ${quoted(row.pipeline_id)} has a prediction (${describedPrediction(one)}) for the dataset ${quoted(known)}; one for the dataset ${quoted(row.dataset_name)} would replace it. Nothing was changed.`,
    { hint: 'Begin a pipeline for each dataset and save its predictions there.' },
  )
}
