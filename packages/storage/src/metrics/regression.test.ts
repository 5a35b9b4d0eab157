import { fromWireNumber } from '@nirs-workspace/types'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { floatList } from '../engine/number-list.ts'
import { regressionFigures } from './regression.ts'

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })

describe('regressionFigures', () => {
  it('computes the figures of a small example by hand', () => {
    const figures = regressionFigures(floatList([1, 2, 3, 4, 5]), floatList([1.1, 2.3, 2.9, 4.4, 4.8]))
    expect(figures).toMatchObject({ n: 5, excluded: 0 })
    expect(figures.bias).toBeCloseTo(0.1, 12)
    expect(figures.rmse).toBeCloseTo(Math.sqrt(0.31 / 5), 12)
    expect(figures.sep).toBeCloseTo(Math.sqrt(0.26 / 5), 12)
    expect(figures.sep_n1).toBeCloseTo(Math.sqrt(0.26 / 4), 12)
    expect(figures.r2).toBeCloseTo(1 - 0.31 / 10, 12)
    expect(figures.rpd).toBeCloseTo(Math.sqrt(2) / Math.sqrt(0.26 / 5), 12)
    expect(figures.rpiq).toBeCloseTo(2 / Math.sqrt(0.31 / 5), 12)
    expect(figures.slope).toBeCloseTo(0.95, 12)
    expect(figures.intercept).toBeCloseTo(0.25, 12)
  })

  it('holds RMSE² = bias² + SEP²', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 60 }), (pairs) => {
        const figures = regressionFigures(floatList(pairs.map(([y]) => y)), floatList(pairs.map(([, z]) => z)))
        const [rmse, bias, sep] = [figures.rmse, figures.bias, figures.sep].map(fromWireNumber)
        expect(Math.abs((rmse ?? 0) ** 2 - ((bias ?? 0) ** 2 + (sep ?? 0) ** 2))).toBeLessThanOrEqual(1e-9 * Math.max(1, (rmse ?? 0) ** 2))
      }),
    )
  })

  it('leaves out pairs that are not finite and counts them', () => {
    const figures = regressionFigures(floatList([1, Number.NaN, 3, null, 5]), floatList([1, 2, Number.POSITIVE_INFINITY, 4, 5, 6]))
    expect(figures).toMatchObject({ n: 2, excluded: 4, rmse: 0, r2: 1, rpd: 'Infinity' })
  })

  it('answers NaN for nothing, as numpy does', () => {
    expect(regressionFigures(floatList([]), floatList([]))).toMatchObject({
      n: 0,
      rmse: 'NaN',
      r2: 'NaN',
      bias: 'NaN',
      rpd: 'NaN',
      rpiq: 'NaN',
    })
  })

  it('gives R² of a constant target as scikit-learn does', () => {
    expect(regressionFigures(floatList([2, 2, 2]), floatList([2, 2, 2])).r2).toBe(1)
    expect(regressionFigures(floatList([2, 2, 2]), floatList([2, 2, 3]))).toMatchObject({ r2: 0, slope: 'NaN' })
    expect(regressionFigures(floatList([2]), floatList([2]))).toMatchObject({ r2: 'NaN', sep_n1: 'NaN' })
    // Neither three nor six times these, divided again, gives them back.
    const [tenths, others] = [floatList([0.1, 0.1, 0.1]), floatList([1.1, 1.1, 1.1, 1.1, 1.1, 1.1])]
    expect(regressionFigures(tenths, floatList([0.1, 0.2, 0.3]))).toMatchObject({ r2: 0, slope: 'NaN', intercept: 'NaN' })
    expect([tenths, others].map((values) => regressionFigures(values, values).r2)).toEqual([1, 1])
  })
})
