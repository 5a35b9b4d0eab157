import type { Scatter } from '@nirs-workspace/types'

/** A sample that the reader keeps an eye on; it stays marked in every chart and table that holds it. */
export interface PinnedSample {
  /** What the number is unique in: a dataset, or one prediction when it stored no sample numbers. */
  readonly scope: string
  readonly sample: number
}

const scopeOf = (scatter: Scatter): string =>
  scatter.sample_indices === null ? `prediction ${scatter.prediction_id}` : `dataset ${scatter.dataset_name}`

/** The number of the sample at a place of the arrays. */
export const sampleAt = (scatter: Scatter, place: number): number => scatter.sample_indices?.[place] ?? place

/** Pins the sample at a place, or lets it go when it is the pinned one. */
export const togglePin = (scatter: Scatter, place: number, pinned: PinnedSample | undefined): PinnedSample | undefined =>
  pinnedPlace(scatter, pinned) === place ? undefined : { scope: scopeOf(scatter), sample: sampleAt(scatter, place) }

/** Where in the arrays the pinned sample is; undefined when this prediction does not hold it. */
export const pinnedPlace = (scatter: Scatter, pinned: PinnedSample | undefined): number | undefined => {
  if (pinned === undefined || pinned.scope !== scopeOf(scatter)) return undefined
  const place = scatter.sample_indices === null ? pinned.sample : scatter.sample_indices.indexOf(pinned.sample)
  return place < 0 || place >= scatter.y_true.length ? undefined : place
}
