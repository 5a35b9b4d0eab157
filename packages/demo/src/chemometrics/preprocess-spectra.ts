import { Matrix } from 'ml-matrix'

/** One step of preprocessing: fitted on the calibration samples, applied to all. */
export interface PreprocessingStep {
  /** As nirs4all abbreviates it in `preprocessings`. */
  readonly label: string
  readonly operatorClass: string
  /** The Python class that the library would have used. */
  readonly path: string
  readonly apply: (spectra: Matrix, calibrationSize: number) => Matrix
}

const eachRow = (spectra: Matrix, change: (row: Float64Array) => Float64Array): Matrix => {
  const result = Matrix.zeros(spectra.rows, spectra.columns)
  for (let row = 0; row < spectra.rows; row++) result.setRow(row, change(Float64Array.from(spectra.getRow(row))))
  return result
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length

const standardNormalVariate = (row: Float64Array): Float64Array => {
  const centre = mean(row)
  const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - centre) ** 2, 0) / row.length)
  return row.map((value) => (value - centre) / deviation)
}

/** Subtracts the least-squares straight line; the axis is symmetric, so slope and level separate. */
const detrend = (row: Float64Array): Float64Array => {
  const middle = (row.length - 1) / 2
  const level = mean(row)
  let cross = 0
  let square = 0
  for (let index = 0; index < row.length; index++) {
    cross += (index - middle) * (row[index] ?? 0)
    square += (index - middle) ** 2
  }
  return row.map((value, index) => value - level - (cross / square) * (index - middle))
}

/** Regresses every spectrum on the mean of the calibration spectra and removes level and path length. */
const scatterCorrection = (spectra: Matrix, calibrationSize: number): Matrix => {
  const target = Float64Array.from(spectra.subMatrix(0, calibrationSize - 1, 0, spectra.columns - 1).mean('column'))
  const centre = mean(target)
  const square = target.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  return eachRow(spectra, (row) => {
    const level = mean(row)
    const cross = row.reduce((sum, value, index) => sum + (value - level) * ((target[index] ?? 0) - centre), 0)
    const slope = cross / square
    return row.map((value) => (value - level) / slope + centre)
  })
}

/** Savitzky-Golay weights of a window of 2·half+1 points, quadratic, for the first or second derivative. */
const derivativeWeights = (half: number, order: 1 | 2): Float64Array => {
  const offsets = Array.from({ length: 2 * half + 1 }, (_, index) => index - half)
  const design = new Matrix(offsets.map((offset) => [1, offset, offset * offset]))
  const normal = design.transpose().mmul(design)
  const unit = Matrix.columnVector([0, order === 1 ? 1 : 0, order === 2 ? 2 : 0])
  const solved = solveSymmetric(normal, unit)
  return Float64Array.from(design.mmul(solved).to1DArray())
}

/** Gauss-Jordan for the three by three system above. */
const solveSymmetric = (matrix: Matrix, right: Matrix): Matrix => {
  const size = matrix.rows
  const work = Matrix.zeros(size, size + 1)
  work.setSubMatrix(matrix, 0, 0).setSubMatrix(right, 0, size)
  for (let pivot = 0; pivot < size; pivot++) {
    work.mulRow(pivot, 1 / work.get(pivot, pivot))
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue
      const factor = work.get(row, pivot)
      for (let column = 0; column <= size; column++) work.set(row, column, work.get(row, column) - factor * work.get(pivot, column))
    }
  }
  return work.subMatrix(0, size - 1, size, size)
}

const derivative = (order: 1 | 2) => {
  const half = order + 1
  const weights = derivativeWeights(half, order)
  return (row: Float64Array): Float64Array =>
    row.map((_, index) => {
      let sum = 0
      for (let offset = -half; offset <= half; offset++) {
        const at = Math.min(row.length - 1, Math.max(0, index + offset))
        sum += (weights[offset + half] ?? 0) * (row[at] ?? 0)
      }
      return sum
    })
}

const rowStep = (label: string, operatorClass: string, module: string, change: (row: Float64Array) => Float64Array): PreprocessingStep => ({
  label,
  operatorClass,
  path: `nirs4all.operators.transforms.${module}.${operatorClass}`,
  apply: (spectra) => eachRow(spectra, change),
})

const steps: readonly PreprocessingStep[] = [
  rowStep('SNV', 'StandardNormalVariate', 'scalers', standardNormalVariate),
  rowStep('Detrend', 'Detrend', 'signal', detrend),
  rowStep('1stDer', 'FirstDerivative', 'nirs', derivative(1)),
  rowStep('2ndDer', 'SecondDerivative', 'nirs', derivative(2)),
  {
    label: 'MSC',
    operatorClass: 'MultiplicativeScatterCorrection',
    path: 'nirs4all.operators.transforms.nirs.MultiplicativeScatterCorrection',
    apply: scatterCorrection,
  },
]

/** The steps behind a display name such as `SNV>1stDer`; `raw` has none. */
export const preprocessingSteps = (display: string): PreprocessingStep[] =>
  display === 'raw'
    ? []
    : display.split('>').map((label) => {
        const step = steps.find((candidate) => candidate.label === label)
        if (step === undefined) throw new Error(`No preprocessing called ${label}`)
        return step
      })

export const preprocess = (spectra: Matrix, display: string, calibrationSize: number): Matrix =>
  preprocessingSteps(display).reduce((current, step) => step.apply(current, calibrationSize), spectra)
