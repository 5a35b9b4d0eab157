import { createHash } from 'node:crypto'
import { Matrix } from 'ml-matrix'
import { type RandomSource, randomSource } from '../random-source.ts'
import { type Constituent, constituents, pureSpectrum } from './absorption-bands.ts'
import type { SampleRecipe } from './sample-recipes.ts'

/** Spectra of one laboratory: calibration samples first, the independent test samples after them. */
export interface SpectralDataset {
  readonly recipe: SampleRecipe
  /** One row per sample, one column per wavelength; absorbance. */
  readonly spectra: Matrix
  /** Measured values in single precision (as the library keeps them), or class codes. */
  readonly reference: Float64Array
  readonly calibrationSize: number
  /** SHA-256 of spectra and references. */
  readonly hash: string
}

export interface DatasetSize {
  readonly samples: number
  readonly stepNm: number
}

const TEST_SHARE = 0.27
const OUTLIER_SHARE = 0.015

const wavelengthAxis = (stepNm: number) => {
  const length = Math.floor(1400 / stepNm) + 1
  return Float64Array.from({ length }, (_, index) => 1100 + index * stepNm)
}

/** Everything between the molecules and the number on the detector: path length, baseline, stray curvature, noise. */
const measure = (chemical: Float64Array, axis: Float64Array, recipe: SampleRecipe, random: RandomSource): Float64Array => {
  const path = Math.max(0.4, random.normal(1, recipe.scatter))
  const offset = random.normal(0.12, 0.25 * recipe.scatter)
  const slope = random.normal(0.03, 0.22 * recipe.scatter)
  const curvature = random.normal(0, 0.12 * recipe.scatter)
  let drift = 0
  return axis.map((wavelength, index) => {
    const x = (wavelength - 1800) / 700
    const absorbance = path * (chemical[index] ?? 0)
    const detector = recipe.noise * (1 + 0.8 * Math.max(0, x))
    drift = 0.9 * drift + random.normal(0, detector * 0.5)
    return absorbance - 0.03 * absorbance * absorbance + offset + slope * x + curvature * x * x + drift + random.normal(0, detector)
  })
}

const chemicalSpectrum = (
  amounts: Partial<Record<Constituent, number>>,
  pure: ReadonlyMap<Constituent, Float64Array>,
  warmWater: Float64Array,
  warmth: number,
): Float64Array => {
  const total = new Float64Array(warmWater.length)
  for (const [name, spectrum] of pure) {
    const amount = amounts[name] ?? 0
    if (amount === 0) continue
    for (let index = 0; index < total.length; index++) total[index] = (total[index] ?? 0) + amount * (spectrum[index] ?? 0)
  }
  // Warm samples show their water bands some nanometres lower: a first-order shift keeps this cheap.
  const water = (amounts.water ?? 0) * warmth
  for (let index = 0; index < total.length; index++) total[index] = (total[index] ?? 0) + water * (warmWater[index] ?? 0)
  return total
}

const digestOf = (spectra: Matrix, reference: Float64Array) => {
  const hash = createHash('sha256')
  for (const row of spectra.to2DArray()) hash.update(Float64Array.from(row))
  return hash.update(reference).digest('hex')
}

/** Draws the samples of a recipe and records their spectra; a few references are gross errors, as on every bench. */
export const makeDataset = (recipe: SampleRecipe, size: DatasetSize, seed: number): SpectralDataset => {
  const random = randomSource(seed, 'dataset', recipe.name, size.samples, size.stepNm)
  const samples = Math.round(size.samples * recipe.relativeSize)
  const axis = wavelengthAxis(size.stepNm)
  const names = Object.keys(constituents).filter((name): name is Constituent => name in constituents)
  const pure = new Map(names.map((name) => [name, pureSpectrum(name, axis)] as const))
  const shifted = pureSpectrum('water', axis, -1)
  const warmWater = shifted.map((value, index) => value - (pure.get('water')?.[index] ?? 0))

  const spectra = Matrix.zeros(samples, axis.length)
  const reference = new Float64Array(samples)
  for (let row = 0; row < samples; row++) {
    const sample = recipe.draw(random)
    const warmth = random.normal(0, 1.8)
    spectra.setRow(row, measure(chemicalSpectrum(sample.amounts, pure, warmWater, warmth), axis, recipe, random))
    const gross = recipe.classes === 0 && random.next() < OUTLIER_SHARE ? random.normal(0, 14 * recipe.referenceError) : 0
    reference[row] = Math.fround(sample.reference + random.normal(0, recipe.referenceError) + gross)
  }
  const calibrationSize = Math.round(samples * (1 - TEST_SHARE))
  return { recipe, spectra, reference, calibrationSize, hash: digestOf(spectra, reference) }
}
