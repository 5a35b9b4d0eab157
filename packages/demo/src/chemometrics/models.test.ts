import { Matrix } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { randomSource } from '../random-source.ts'
import { fitPls } from './fit-pls.ts'
import { fitRidge } from './fit-ridge.ts'
import { preprocess } from './preprocess-spectra.ts'

const random = randomSource('models.test')
const spectra = Matrix.zeros(40, 6).apply(function (this: Matrix, row, column) {
  this.set(row, column, random.normal(column, 1 + column / 3))
})
const truth = Matrix.columnVector(Array.from({ length: 40 }, (_, row) => 3 + 2 * spectra.get(row, 0) - spectra.get(row, 4)))

const largestError = (predicted: Matrix | undefined) =>
  Math.max(...truth.to1DArray().map((value, row) => Math.abs(value - (predicted?.get(row, 0) ?? Number.NaN))))

describe('models', () => {
  it('PLS with as many latent variables as wavelengths is least squares: it finds an exact linear law', () => {
    const model = fitPls(spectra, truth, 6, 1e-12)
    expect(largestError(model.predictAll(spectra).at(-1))).toBeLessThan(1e-8)
  })

  it('PLS fitted once gives for fewer latent variables what a smaller fit gives', () => {
    const large = fitPls(spectra, truth, 5).predictAll(spectra)
    const small = fitPls(spectra, truth, 2).predictAll(spectra)
    expect(large[1]?.to1DArray()).toEqual(small[1]?.to1DArray().map((value) => expect.closeTo(value, 9)))
  })

  it('ridge with its small penalty comes close to the exact law', () => {
    expect(largestError(fitRidge(spectra, truth).predict(spectra))).toBeLessThan(0.5)
  })
})

describe('preprocessing', () => {
  const parabola = new Matrix([Array.from({ length: 21 }, (_, index) => 0.5 * index * index - 3 * index + 2)])

  it('Savitzky-Golay derivatives are exact for a parabola, away from the ends', () => {
    const slope = preprocess(parabola, '1stDer', 1).getRow(0).slice(4, -4)
    const curvature = preprocess(parabola, '2ndDer', 1).getRow(0).slice(4, -4)
    for (const [index, value] of slope.entries()) expect(value).toBeCloseTo(index + 4 - 3, 9)
    for (const value of curvature) expect(value).toBeCloseTo(1, 9)
  })

  it('SNV leaves mean 0 and deviation 1; Detrend removes a straight line; MSC makes scaled copies of a spectrum equal', () => {
    const row = preprocess(spectra, 'SNV', 40).getRow(3)
    expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9)
    expect(row.reduce((sum, value) => sum + value * value, 0) / row.length).toBeCloseTo(1, 9)
    for (const value of preprocess(new Matrix([[1, 3, 5, 7]]), 'Detrend', 1).getRow(0)) expect(value).toBeCloseTo(0, 9)
    const copies = preprocess(
      new Matrix([
        [1, 4, 2, 8],
        [3, 9, 5, 17],
      ]),
      'MSC',
      2,
    )
    for (const [index, value] of copies.getRow(0).entries()) expect(value).toBeCloseTo(copies.get(1, index), 9)
  })
})
