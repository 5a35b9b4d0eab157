import { PredictionDetail, Scatter } from '@nirs-workspace/types'
import { describe, expect, it } from 'vitest'
import { scatterOf } from '../../../test/app.tsx'
import { prediction } from '../../../test/data.ts'
import { arraysKind, compareScore } from './stored-score.ts'

const detail = (change: Partial<PredictionDetail>) =>
  PredictionDetail.parse({ ...prediction(0), scores: {}, params: {}, arrays_state: 'stored', siblings: [], val_score: 0.14, ...change })
const scatter = Scatter.parse(scatterOf('p0'))

describe('stored score and arrays', () => {
  it('agree within single precision, by the metric of the row', () => {
    expect(compareScore(detail({}), scatter)?.same).toBe(true)
    expect(compareScore(detail({ val_score: 0.1400001 }), scatter)?.same).toBe(true)
    expect(compareScore(detail({ metric: 'mse', val_score: 0.0196 }), scatter)?.same).toBe(true)
    expect(compareScore(detail({ metric: 'r2_score', val_score: 0.97 }), scatter)?.same).toBe(true)
    expect(compareScore(detail({ partition: 'test', test_score: 0.3 }), scatter)).toMatchObject({
      stored: 0.3,
      computed: 0.14,
      same: false,
    })
  })

  it('agree by the size of the values where the score can be near zero', () => {
    const near = Scatter.parse({ ...scatter, regression: { ...scatter.regression, bias: 1.001e-4, r2: 2e-6 } })
    expect(compareScore(detail({ metric: 'bias', val_score: 1e-4 }), near)?.same).toBe(true)
    expect(compareScore(detail({ metric: 'bias', val_score: 0.01 }), near)?.same).toBe(false)
    expect(compareScore(detail({ metric: 'R2', val_score: 1e-6 }), near)?.same).toBe(true)
  })

  it('are told apart by which is the better one, in the direction of the metric', () => {
    const better = (change: Partial<PredictionDetail>) => compareScore(detail(change), scatter)?.looksBetter
    expect(better({ val_score: 0.41 })).toBe(true)
    expect(better({ val_score: 0.1 })).toBe(false)
    expect(better({ metric: 'mse', val_score: 0.01 })).toBe(false)
    expect(better({ metric: 'r2_score', val_score: 0.5 })).toBe(true)
    expect(better({ metric: 'r2_score', val_score: 0.99 })).toBe(false)
    expect(better({})).toBe(false)
  })

  it('are not compared without a number on both sides', () => {
    expect(compareScore(detail({ val_score: 'NaN' }), scatter)).toBeUndefined()
    expect(compareScore(detail({ val_score: null }), scatter)).toBeUndefined()
    expect(compareScore(detail({ metric: 'my_metric' }), scatter)).toBeUndefined()
  })

  it.each([
    ['a fold', { fold_kind: 'fold' }, 'left-out'],
    ['an average whose score its arrays give', { fold_kind: 'average', fold_id: 'avg' }, 'left-out'],
    ['an average of an old release', { fold_kind: 'average', fold_id: 'w_avg', val_score: 0.41 }, 'mixed'],
    ['an average with a metric of its own', { fold_kind: 'average', metric: 'my_metric' }, 'unclear'],
    ['no cross-validation', { fold_kind: 'single', fold_id: '' }, 'test as validation'],
    ['test samples', { fold_kind: 'average', partition: 'test' }, 'other'],
    ['a refit', { fold_kind: 'refit' }, 'other'],
  ] as const)('validation arrays of %s', (_, change, kind) => {
    expect(arraysKind(detail(change), scatter)).toBe(kind)
  })
})
