import { describe, expect, it } from 'vitest'
import { floatList } from '../engine/number-list.ts'
import { classificationFigures } from './classification.ts'

describe('classificationFigures', () => {
  it('counts, with labels sorted and recall averaged over the classes present in y_true', () => {
    const figures = classificationFigures(floatList([2, 0, 0, 2, 10]), floatList([2, 0, 2, 5, 10]))
    expect(figures).toMatchObject({ n: 5, excluded: 0, accuracy: 0.6, labels: [0, 2, 5, 10] })
    expect(figures?.confusion).toEqual([
      [1, 1, 0, 0],
      [0, 1, 1, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ])
    expect(figures?.balanced_accuracy).toBeCloseTo((0.5 + 0.5 + 1) / 3, 12)
    expect(figures?.per_class[2]).toEqual({ label: 5, precision: 0, recall: 0, f1: 0, support: 0 })
    expect(figures?.per_class[0]).toEqual({ label: 0, precision: 1, recall: 0.5, f1: 2 / 3, support: 2 })
  })

  it('reads probabilities of two classes at one half', () => {
    expect(classificationFigures(floatList([0, 1, 1, 0]), floatList([0.2, 0.7, 0.4, 0.5]))).toMatchObject({
      accuracy: 0.75,
      labels: [0, 1],
    })
  })

  it('reads probabilities of a two-class model at one half also where only one class was measured', () => {
    const ofOne = (y: number, task: string) => classificationFigures(floatList([y, y, y]), floatList([0.8, 0.9, 0.3]), task)
    expect(ofOne(1, 'binary_classification')).toMatchObject({ accuracy: 2 / 3, balanced_accuracy: 2 / 3, labels: [0, 1] })
    expect(ofOne(0, 'binary_classification')).toMatchObject({ accuracy: 1 / 3, labels: [0, 1] })
    expect(ofOne(1, 'multiclass_classification')?.labels).toHaveLength(4)
    expect(ofOne(2, 'binary_classification')?.labels).toHaveLength(4)
  })

  it('leaves out pairs that are not finite and counts them; −0 is class 0', () => {
    expect(classificationFigures(floatList([-0, 1, null]), floatList([0, 1, 1]))).toMatchObject({
      n: 2,
      excluded: 1,
      labels: [0, 1],
      accuracy: 1,
    })
  })

  it('answers NaN for nothing and null for what are no classes', () => {
    expect(classificationFigures(floatList([]), floatList([]))).toMatchObject({
      n: 0,
      accuracy: 'NaN',
      balanced_accuracy: 'NaN',
      labels: [],
    })
    const many = floatList(Array.from({ length: 1001 }, (_, index) => index / 7))
    expect(classificationFigures(many, many)).toBeNull()
  })
})
