import type { Scatter } from '@nirs-workspace/types'

/** A value of a sample that the reader keeps an eye on; it stays marked in every chart and table that holds it. */
export interface PinnedSample {
  /** What the number is unique in: a dataset, or one prediction where it stored no number for the sample. */
  readonly scope: string
  readonly sample: number
  /** Which of the sample's measured values, from 0. */
  readonly target: number
  /** Where it was pinned: a number may stand for several values there. */
  readonly origin: { readonly prediction_id: string; readonly place: number }
}

/** Values per sample: more than one where several targets were predicted, whose values lie beside each other, as in exports. */
export const targetsOf = ({ sample_indices, y_true }: Scatter): number => {
  const samples = sample_indices?.length ?? 0
  return samples > 0 && y_true.length % samples === 0 ? Math.max(1, y_true.length / samples) : 1
}

/** The stored number of the sample at a place of the arrays; null where there is none. */
const numberAt = (scatter: Scatter, place: number): number | null =>
  scatter.sample_indices?.[Math.floor(place / targetsOf(scatter))] ?? null

/** The number of the sample at a place: the place itself where the prediction stored no numbers at all. */
export const sampleAt = (scatter: Scatter, place: number): number | null =>
  scatter.sample_indices === null ? place : numberAt(scatter, place)

export const targetAt = (scatter: Scatter, place: number): number => place % targetsOf(scatter)

const inDataset = (scatter: Scatter): string => `dataset ${scatter.dataset_name}`
const inPrediction = (scatter: Scatter): string => `prediction ${scatter.prediction_id}`

const pinAt = (scatter: Scatter, place: number): PinnedSample => {
  const sample = numberAt(scatter, place)
  const origin = { prediction_id: scatter.prediction_id, place }
  return sample === null
    ? { scope: inPrediction(scatter), sample: place, target: 0, origin }
    : { scope: inDataset(scatter), sample, target: targetAt(scatter, place), origin }
}

/** Pins the value at a place, or lets it go when it is the pinned one. */
export const togglePin = (scatter: Scatter, place: number, pinned: PinnedSample | undefined): PinnedSample | undefined =>
  pinnedPlace(scatter, pinned) === place ? undefined : pinAt(scatter, place)

/** Where in the arrays the pinned value is; undefined when this prediction does not hold it. */
export const pinnedPlace = (scatter: Scatter, pinned: PinnedSample | undefined): number | undefined => {
  const place = pinned === undefined ? -1 : placeOf(scatter, pinned)
  return place < 0 || place >= scatter.y_true.length ? undefined : place
}

const placeOf = (scatter: Scatter, { scope, sample, target, origin }: PinnedSample): number => {
  if (scope === inPrediction(scatter)) return sample
  // The arrays may have been written anew since.
  const isThere = scope === inDataset(scatter) && origin.prediction_id === scatter.prediction_id
  if (isThere && numberAt(scatter, origin.place) === sample && targetAt(scatter, origin.place) === target) return origin.place
  const targets = targetsOf(scatter)
  const found = scope === inDataset(scatter) && target < targets ? (scatter.sample_indices ?? []).indexOf(sample) : -1
  return found < 0 ? -1 : found * targets + target
}
