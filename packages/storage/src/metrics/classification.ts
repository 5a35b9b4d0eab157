import { type ClassificationFigures, toWireNumber } from '@nirs-workspace/types'
import type { FloatList } from '../engine/number-list.ts'
import { type Pairs, pairValues } from './paired-values.ts'

/** More classes than this are not classes: somebody asks for a confusion table of a regression. */
const mostClasses = 1000

/**
 * Figures of a classification over the finite pairs. Balanced accuracy is the mean recall over the classes present in y_true (nirs4all's
 * own); precision, recall and F1 without any sample to divide by are 0. Labels are sorted. Of a two-class model that stored probabilities
 * instead of labels, values above 0.5 count as class 1, as in nirs4all; where y_true has only one of the two, the task tells it. Null when there are too many classes for a table.
 */
export const classificationFigures = (yTrue: FloatList, yPred: FloatList, task = ''): ClassificationFigures | null => {
  const pairs = pairValues(yTrue, yPred)
  const { measured } = pairs
  const predicted = holdsProbabilities(pairs, task) ? pairs.predicted.map((value) => (value > 0.5 ? 1 : 0)) : pairs.predicted
  // Adding zero joins −0 with 0.
  const labels = [...new Set([...measured, ...predicted].map((label) => label + 0))].sort((a, b) => a - b)
  if (labels.length > mostClasses) return null
  const confusion = countPairs(labels, measured, predicted)
  const perClass = labels.map((label, index) => classFigures(label, index, confusion))
  const present = perClass.filter(({ support }) => support > 0)
  const n = measured.length
  const right = confusion.reduce((total, row, index) => total + (row[index] ?? 0), 0)
  return {
    n,
    excluded: pairs.excluded,
    accuracy: toWireNumber(right / n),
    balanced_accuracy: toWireNumber(present.reduce((total, { recall }) => total + recall, 0) / present.length),
    labels,
    confusion,
    per_class: perClass,
  }
}

const holdsProbabilities = ({ measured, predicted }: Pairs, task: string): boolean =>
  (new Set(measured).size === 2 || (task === 'binary_classification' && measured.every((value) => value === 0 || value === 1))) &&
  predicted.every((value) => value >= 0 && value <= 1) &&
  predicted.some((value) => value !== 0 && value !== 1)

const countPairs = (labels: readonly number[], measured: Float64Array, predicted: Float64Array): number[][] => {
  const position = new Map(labels.map((label, index) => [label, index]))
  const counts = labels.map(() => labels.map(() => 0))
  measured.forEach((label, index) => {
    const row = counts[position.get(label) ?? -1]
    const column = position.get(predicted[index] ?? Number.NaN)
    if (row !== undefined && column !== undefined) row[column] = (row[column] ?? 0) + 1
  })
  return counts
}

const classFigures = (label: number, index: number, confusion: readonly (readonly number[])[]) => {
  const support = (confusion[index] ?? []).reduce((total, count) => total + count, 0)
  const claimed = confusion.reduce((total, row) => total + (row[index] ?? 0), 0)
  const right = confusion[index]?.[index] ?? 0
  const precision = claimed === 0 ? 0 : right / claimed
  const recall = support === 0 ? 0 : right / support
  const f1 = support + claimed === 0 ? 0 : (2 * right) / (support + claimed)
  return { label, precision, recall, f1, support }
}
