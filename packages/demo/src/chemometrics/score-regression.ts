/** Figures of one partition under the library's names, in its order. SEP and RPD divide by n. */
export type ScoreTable = Record<string, number | string>

const mean = (values: Float64Array) => {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index] ?? 0
  return sum / values.length
}

/** Ranks with ties averaged, as SciPy gives them. */
const ranks = (values: Float64Array): Float64Array => {
  const order = Uint32Array.from(values, (_, index) => index).sort((left, right) => (values[left] ?? 0) - (values[right] ?? 0))
  const result = new Float64Array(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end + 1 < order.length && values[order[end + 1] ?? 0] === values[order[start] ?? 0]) end++
    for (let at = start; at <= end; at++) result[order[at] ?? 0] = (start + end) / 2
    start = end + 1
  }
  return result
}

const pearson = (left: Float64Array, right: Float64Array): number => {
  const leftMean = mean(left)
  const rightMean = mean(right)
  let cross = 0
  let leftSquare = 0
  let rightSquare = 0
  for (let index = 0; index < left.length; index++) {
    const a = (left[index] ?? 0) - leftMean
    const b = (right[index] ?? 0) - rightMean
    cross += a * b
    leftSquare += a * a
    rightSquare += b * b
  }
  return cross / Math.sqrt(leftSquare * rightSquare)
}

/** The shortest decimal text that reads back as the same single-precision number: how 0.7.x wrote NumPy's float32 into JSON. */
export const float32Text = (value: number): string => {
  const single = Math.fround(value)
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(single.toPrecision(digits))
    if (Math.fround(text) === single) return String(text)
  }
  return String(Number(single.toPrecision(9)))
}

/** All thirteen figures; `nmse` and `nmae` as text, because the 0.7 releases stored them so. */
export const scoreRegression = (yTrue: Float64Array, yPred: Float64Array): ScoreTable => {
  const n = yTrue.length
  const centre = mean(yTrue)
  let squares = 0
  let absolutes = 0
  let errors = 0
  let spread = 0
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let index = 0; index < n; index++) {
    const truth = yTrue[index] ?? 0
    const error = (yPred[index] ?? 0) - truth
    squares += error * error
    absolutes += Math.abs(error)
    errors += error
    spread += (truth - centre) ** 2
    low = Math.min(low, truth)
    high = Math.max(high, truth)
  }
  const mse = squares / n
  const bias = errors / n
  const sep = Math.sqrt(Math.max(0, mse - bias * bias))
  const deviation = Math.sqrt(spread / n)
  const r2 = 1 - squares / spread
  return {
    r2,
    rmse: Math.sqrt(mse),
    mse,
    sep,
    mae: absolutes / n,
    rpd: deviation / sep,
    bias,
    consistency: 1 - Math.sqrt(mse) / deviation,
    nrmse: Math.sqrt(mse) / (high - low),
    nmse: float32Text(1 - r2),
    nmae: float32Text(absolutes / n / (high - low)),
    pearson_r: pearson(yTrue, yPred),
    spearman_r: pearson(ranks(yTrue), ranks(yPred)),
  }
}
