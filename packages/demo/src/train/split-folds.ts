import { randomSource } from '../random-source.ts'

/** Row numbers of one fold, ascending. */
export interface FoldSplit {
  readonly train: Int32Array
  readonly val: Int32Array
}

/** A shuffled k-fold split: every calibration sample is in exactly one validation part. */
export const splitFolds = (calibrationSize: number, folds: number, foldSeed: number): FoldSplit[] => {
  const order = randomSource('folds', foldSeed, calibrationSize).shuffled(calibrationSize)
  return Array.from({ length: folds }, (_, fold) => {
    const from = Math.floor((fold * calibrationSize) / folds)
    const to = Math.floor(((fold + 1) * calibrationSize) / folds)
    const val = order.slice(from, to).sort()
    const train = Int32Array.from([...order.slice(0, from), ...order.slice(to)]).sort()
    return { train, val }
  })
}
