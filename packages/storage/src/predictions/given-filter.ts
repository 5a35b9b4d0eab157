import { PredictionFilter, rangeColumns } from '@nirs-workspace/types'
import * as z from 'zod'

// A program may leave an end open with an infinity, which JSON does not have.
const infinite = z.custom<number>((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
const end = z.union([z.number(), infinite, z.string()]).optional()

/** A filter as programs may give it. */
export const GivenFilter = PredictionFilter.extend({
  ranges: z.partialRecord(z.enum(rangeColumns), z.strictObject({ min: end, max: end })).default({}),
})
