import type { PredictionFilter } from '@nirs-workspace/types'
import type { ArrayRef } from '../arrays/array-reader.ts'
import { idCondition } from '../arrays/id-condition.ts'
import { fileBytes } from '../arrays/refuse-resaved.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions } from '../predictions/catalog-reader.ts'
import { whereClause } from '../predictions/filter-clause.ts'

/** How many predictions are looked up in the array files at a time: few enough to hold their ids, enough to read a file seldom. */
const batchSize = 20_000

/** Where the arrays of predictions under a filter lie (of these ids, or of all), in batches; neighbours share a file. */
export async function* arrayRefs(
  catalog: CatalogReader,
  filter: PredictionFilter,
  ids: readonly string[] | undefined,
  options: QueryOptions,
): AsyncGenerator<ArrayRef[]> {
  const where = whereClause(filter)
  const only = ids === undefined ? { sql: 'true', parameters: {} } : idCondition(ids)
  const sql = `SELECT prediction_id, array_source, n_samples, val_score, ${fileBytes}::DOUBLE FROM (SELECT * FROM ${PREDICTIONS} ${where.sql})
    WHERE array_source IS NOT NULL AND ${only.sql} ORDER BY array_source, prediction_id`
  let batch: ArrayRef[] = []
  for await (const chunk of streamChunks(catalog.engine, sql, { ...where.parameters, ...only.parameters }, options.signal)) {
    const [predictions, sources] = [chunk.texts(0), chunk.texts(1)]
    const [samples, scores, sizes] = [chunk.values(2), chunk.values(3), chunk.values(4)]
    predictions.forEach((id, row) => {
      batch.push({
        prediction_id: id ?? '',
        array_source: sources[row] ?? null,
        n_samples: numberOrNull(samples[row]),
        val_score: numberOrNull(scores[row]),
        file_bytes: numberOrNull(sizes[row]),
      })
    })
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

const numberOrNull = (value: unknown): number | null => (typeof value === 'number' ? value : null)
