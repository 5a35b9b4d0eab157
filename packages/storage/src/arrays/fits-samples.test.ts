import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { withEngine } from '../engine/open-engine.ts'
import { fitsSamples, misfitSql } from './fits-samples.ts'

test.each([
  { samples: 40, y_true: 40, y_pred: 40, sample_indices: 40, fits: true },
  { samples: 40, y_true: 110, y_pred: 110, sample_indices: 110, fits: false },
  { samples: 40, y_true: 80, y_pred: 80, sample_indices: 40, fits: true },
  { samples: 40, y_true: 80, y_pred: 80, sample_indices: null, fits: true },
  { samples: 40, y_true: 80, y_pred: 80, sample_indices: 80, fits: false },
  { samples: 40, y_true: null, y_pred: 39, sample_indices: null, fits: false },
  { samples: 4, y_true: 4, y_pred: 2, sample_indices: null, fits: true },
  { samples: 4, y_true: null, y_pred: null, sample_indices: 7, fits: true },
  { samples: 4, y_true: 0, y_pred: 0, sample_indices: 0, fits: true },
  { samples: 0, y_true: 4, y_pred: 4, sample_indices: null, fits: true },
  { samples: null, y_true: 4, y_pred: 4, sample_indices: null, fits: true },
])('$samples samples, $y_true measured, $y_pred predicted, $sample_indices indices: $fits', ({ samples, fits, ...lengths }) => {
  expect(fitsSamples(samples, lengths)).toBe(fits)
})

test('the database says the same', async () => {
  await withEngine({}, async (engine) => {
    const Found = z.object({ misfit: z.boolean() })
    const number = fc.option(fc.integer({ min: 0, max: 6 }))
    const lengths = fc.record({ y_true: number, y_pred: number, sample_indices: number })
    await fc.assert(
      fc.asyncProperty(number, lengths, async (samples, given) => {
        const sql = (value: number | null) => `${value === null ? 'NULL' : value}::BIGINT`
        const { y_true, y_pred, sample_indices } = given
        const misfit = misfitSql(sql(samples), { y_true: sql(y_true), y_pred: sql(y_pred), sample_indices: sql(sample_indices) })
        expect(await engine.one(Found, `SELECT ${misfit} AS misfit`)).toEqual({ misfit: !fitsSamples(samples, given) })
      }),
      { numRuns: 200 },
    )
  })
})
