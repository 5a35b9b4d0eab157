import type { PredictionDetail, Scatter } from '@nirs-workspace/types'
import { findMetric, metricDirection } from '@nirs-workspace/types/metric'
import { fromWireNumber, type WireNumber } from '@nirs-workspace/types/number'

/** The stored score of this row's partition beside the same metric computed from its arrays. */
export interface StoredScore {
  readonly stored: number
  readonly computed: number
  readonly same: boolean
  /** Whether the computed one is the better one; false where nobody knows which that would be. */
  readonly looksBetter: boolean
}

/** Single precision and the order of summation cost less than this share of a score, or of what it is the difference of. */
const tolerance = 1e-4

/** Undefined where the metric is not among the figures or one side is not a number. */
export const compareScore = (detail: PredictionDetail, scatter: Scatter): StoredScore | undefined => {
  const stored = finite(scoreOf(detail))
  const computed = finite(figureOf(detail.metric, scatter))
  if (stored === undefined || computed === undefined) return undefined
  const same = Math.abs(stored - computed) <= tolerance * sizeOf(detail.metric, stored, scatter) + 1e-9
  return { stored, computed, same, looksBetter: !same && isBetter(detail.metric, computed, stored) }
}

/** A bias of nearly zero is a difference of values as large as the errors, an R² of nearly zero one of shares of 1. */
const sizeOf = (metric: string, stored: number, { regression }: Scatter): number => {
  const name = findMetric(metric)?.name
  if (name === 'bias' && regression !== null) return Math.max(Math.abs(stored), finite(regression.rmse) ?? 0)
  return name === 'r2' ? Math.max(Math.abs(stored), 1) : Math.abs(stored)
}

const isBetter = (metric: string, one: number, other: number): boolean => {
  switch (metricDirection(metric)) {
    case 'higher':
      return one > other
    case 'lower':
      return one < other
    case 'zero':
      return Math.abs(one) < Math.abs(other)
    case 'unknown':
      return false
  }
}

const scoreOf = (detail: PredictionDetail): WireNumber | null => {
  if (detail.partition === 'train') return detail.train_score
  if (detail.partition === 'test') return detail.test_score
  return detail.partition === 'val' ? detail.val_score : null
}

const figureOf = (metric: string, { regression, classification }: Scatter): WireNumber | null => {
  const name = findMetric(metric)?.name
  const figures: Partial<Record<string, WireNumber>> = {
    ...(regression === null ? {} : { ...regression, mse: fromWireNumber(regression.rmse) ** 2 }),
    ...(classification === null ? {} : { accuracy: classification.accuracy, balanced_accuracy: classification.balanced_accuracy }),
  }
  return name === undefined ? null : (figures[name] ?? null)
}

const finite = (value: WireNumber | null): number | undefined => {
  const number = value === null ? Number.NaN : fromWireNumber(value)
  return Number.isFinite(number) ? number : undefined
}

/**
 * What the arrays of a row are. `mixed`: the validation arrays of an average over folds as releases before 0.8 wrote them, means over
 * all fold models, most of which were trained on the sample. From 0.8 on they are the left-out predictions put together, and then the
 * stored score can be computed from them; that is how the two are told apart.
 */
export type ArraysKind = 'left-out' | 'mixed' | 'unclear' | 'test as validation' | 'other'

export const arraysKind = (detail: PredictionDetail, scatter: Scatter): ArraysKind => {
  if (detail.partition !== 'val') return 'other'
  if (detail.fold_kind === 'fold') return 'left-out'
  if (detail.fold_kind === 'single') return 'test as validation'
  if (detail.fold_kind !== 'average') return 'other'
  const score = compareScore(detail, scatter)
  if (score === undefined) return 'unclear'
  return score.same ? 'left-out' : 'mixed'
}

/** nirs4all 0.7 stored a wrong balanced accuracy with some averages; which of them, nothing tells. */
export const mayBeStoredWrong = (detail: PredictionDetail): boolean =>
  detail.fold_kind === 'average' && findMetric(detail.metric)?.name === 'balanced_accuracy'
