import type { ScoreTable } from './score-regression.ts'

interface ClassCounts {
  hits: number
  truth: number
  predicted: number
}

const countClasses = (yTrue: Float64Array, yPred: Float64Array): ClassCounts[] => {
  const classes = 1 + Math.max(...yTrue, ...yPred)
  const counts = Array.from({ length: classes }, () => ({ hits: 0, truth: 0, predicted: 0 }))
  const at = (label: number | undefined) => counts[label ?? 0] ?? { hits: 0, truth: 0, predicted: 0 }
  for (let index = 0; index < yTrue.length; index++) {
    at(yTrue[index]).truth++
    at(yPred[index]).predicted++
    if (yTrue[index] === yPred[index]) at(yTrue[index]).hits++
  }
  return counts.filter((count) => count.truth + count.predicted > 0)
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
const recallOf = (count: ClassCounts) => ratio(count.hits, count.truth)
const precisionOf = (count: ClassCounts) => ratio(count.hits, count.predicted)
const f1Of = (count: ClassCounts) => ratio(2 * count.hits, count.truth + count.predicted)
const jaccardOf = (count: ClassCounts) => ratio(count.hits, count.truth + count.predicted - count.hits)

/**
 * The library's figures: plain names weight the classes by their size, `balanced_` names do not. For two classes `specificity` is
 * the recall of class 0 and `roc_auc` comes from the hard labels, as 0.7.x computes both.
 */
export const scoreClassification = (yTrue: Float64Array, yPred: Float64Array, binary: boolean): ScoreTable => {
  const counts = countClasses(yTrue, yPred)
  const n = yTrue.length
  const present = counts.filter((count) => count.truth > 0)
  const weighted = (figure: (count: ClassCounts) => number) => counts.reduce((sum, count) => sum + (figure(count) * count.truth) / n, 0)
  const plain = (figure: (count: ClassCounts) => number, over = counts) => over.reduce((sum, count) => sum + figure(count), 0) / over.length
  const specificityOf = (count: ClassCounts) => ratio(n - count.truth - count.predicted + count.hits, n - count.truth)
  const balanced = plain(recallOf, present)
  const [first] = counts
  return {
    accuracy: weighted(recallOf),
    balanced_accuracy: balanced,
    precision: weighted(precisionOf),
    balanced_precision: plain(precisionOf),
    recall: weighted(recallOf),
    balanced_recall: plain(recallOf),
    f1: weighted(f1Of),
    specificity: binary && first !== undefined ? recallOf(first) : plain(specificityOf),
    ...(binary ? { roc_auc: balanced, jaccard: weighted(jaccardOf) } : {}),
  }
}
