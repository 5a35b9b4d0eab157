import { type ArrayPlaces, type ArrayRef, withArrayReader } from './array-reader.ts'
import type { ArrayRow, LoadOptions } from './array-source.ts'

/** All rows at once through a reader of its own, by prediction_id. For a few thousand predictions; stream larger sets from an `ArrayReader`. */
export const loadArrays = (
  places: ArrayPlaces,
  refs: readonly ArrayRef[],
  options: LoadOptions = {},
): Promise<ReadonlyMap<string, ArrayRow>> =>
  withArrayReader({}, async (reader) => {
    const rows = new Map<string, ArrayRow>()
    for await (const batch of reader.load(places, refs, options)) for (const row of batch) rows.set(row.prediction_id, row)
    return rows
  })
