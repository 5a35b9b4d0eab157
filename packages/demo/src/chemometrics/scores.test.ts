import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { withRealStore } from '../testing/real-store.ts'
import { scoreClassification } from './score-classification.ts'
import { float32Text, scoreRegression } from './score-regression.ts'

const Tables = z.record(z.enum(['train', 'val', 'test']), z.record(z.string(), z.union([z.number(), z.string()])))
const numbers = z.array(z.number())
const Row = z.object({
  task_type: z.string(),
  partition: z.enum(['train', 'val', 'test']),
  scores: z.string(),
  y_true: numbers,
  y_pred: numbers,
})

/** The library computes in single precision here and there. */
const SINGLE = 2e-5

describe('scores', () => {
  it('equal the figures that nirs4all 0.7.1 stored beside its arrays, under the same names and in the same order', async () => {
    const rows = await withRealStore((engine) =>
      engine.rows(
        Row,
        `SELECT task_type, partition, scores, y_true, y_pred FROM predictions JOIN prediction_arrays USING (prediction_id) WHERE regexp_full_match(fold_id, '[0-9]+')`,
      ),
    )
    if (rows === undefined) return
    for (const row of rows) {
      const stored = Tables.parse(JSON.parse(row.scores))[row.partition] ?? {}
      const [yTrue, yPred] = [Float64Array.from(row.y_true), Float64Array.from(row.y_pred)]
      const regression = row.task_type === 'regression'
      const computed = regression ? scoreRegression(yTrue, yPred) : scoreClassification(yTrue, yPred, row.task_type.startsWith('binary'))
      expect(Object.keys(computed)).toEqual(Object.keys(stored))
      for (const [name, value] of Object.entries(stored)) {
        if (typeof computed[name] === 'string') expect(typeof value).toBe('string')
        // Whether two predictions tie depends on the last bit, and with it the rank correlation.
        if (name === 'spearman_r') continue
        expect(Math.abs(Number(computed[name]) - Number(value)), `${name} of ${row.task_type}`).toBeLessThan(
          SINGLE * Math.max(1, Math.abs(Number(value))),
        )
      }
    }
    expect(rows.length).toBeGreaterThan(100)
  })

  it('writes single-precision numbers with as few digits as read back the same', () => {
    for (const value of [0.1, 0.42630327, 1 / 3, 12.5, 1e-7, 123456.789]) {
      const text = float32Text(value)
      expect(Math.fround(Number(text))).toBe(Math.fround(value))
      expect(text.length).toBeLessThanOrEqual(14)
    }
    expect(float32Text(0.1)).toBe('0.1')
  })

  it('knows perfect and useless predictions', () => {
    const truth = Float64Array.of(1, 2, 3, 4)
    expect(scoreRegression(truth, truth)).toMatchObject({ rmse: 0, r2: 1, bias: 0, rpd: Number.POSITIVE_INFINITY, nmse: '0', pearson_r: 1 })
    expect(scoreClassification(Float64Array.of(0, 0, 1), Float64Array.of(0, 0, 0), true)).toMatchObject({
      balanced_accuracy: 0.5,
      specificity: 1,
    })
  })
})
