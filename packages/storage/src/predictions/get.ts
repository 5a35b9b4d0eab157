import type { PredictionDetail, PredictionRow } from '@nirs-workspace/types'
import { isSameMetric } from '@nirs-workspace/types/metric'
import { findUnreadableFile } from '../catalog/unreadable-files.ts'
import { StorageError } from '../errors.ts'
import { checkText } from '../options/check-options.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows, type SqlPart } from './catalog-reader.ts'
import { decodeParams, decodeScores } from './decode-scores.ts'
import { afterPredictionColumns, predictionColumns, readPredictionRow } from './row-sql.ts'
import { readTextOrNull } from './value-reader.ts'

/** One prediction with its decoded scores and parameters and the other rows of its model. Throws `prediction_not_found`. */
export const getPrediction = async (
  catalog: CatalogReader,
  predictionId: string,
  options: QueryOptions = {},
): Promise<PredictionDetail> => {
  checkText('prediction_id', predictionId)
  // No LIMIT and no ORDER BY: they would keep DuckDB from using its index. Several rows of one id come only from lone files; the last one counts.
  const sql = `SELECT ${predictionColumns}, scores FROM ${PREDICTIONS} WHERE prediction_id = $id`
  const matches = await readRows(
    catalog,
    { sql, parameters: { id: predictionId } },
    (value) => ({ row: readPredictionRow(value), scores: readTextOrNull(value(afterPredictionColumns)) }),
    options,
  )
  const found = matches.at(-1)
  if (found === undefined) {
    throw new StorageError('prediction_not_found', `This workspace has no prediction "${predictionId}".`, {
      hint: 'It may have been removed since the list was loaded.',
      ids: [predictionId],
    })
  }
  const scores = decodeOr(() => decodeScores(found.scores))
  const params = decodeOr(() => decodeParams(found.row.best_params))
  const undecodable = [...(scores === undefined ? ['scores'] : []), ...(params === undefined ? ['best_params'] : [])]
  const unreadable = found.row.arrays_state === 'unreadable' ? await findUnreadableFile(catalog.engine, predictionId) : undefined
  return {
    ...found.row,
    scores: scores ?? {},
    params: params ?? {},
    ...(undecodable.length === 0 ? {} : { undecodable }),
    ...(unreadable === undefined ? {} : { unreadable_file: unreadable }),
    siblings: await siblingsOf(catalog, found.row, options),
  }
}

/** Undefined for text that is not JSON; the answer then names the column instead of failing as a whole. */
const decodeOr = <T>(decode: () => T): T | undefined => {
  try {
    return decode()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Of the metric of the row in any spelling: scores that stand beside each other are compared. */
const siblingsOf = async (catalog: CatalogReader, row: PredictionRow, options: QueryOptions): Promise<PredictionDetail['siblings']> => {
  const { sql, parameters } = sameModel(row)
  const query = `SELECT ${predictionColumns} FROM ${PREDICTIONS} WHERE ${sql} AND prediction_id <> $id
    ORDER BY try_cast(fold_id AS INTEGER) NULLS LAST, fold_id, partition, prediction_id`
  const rows = await readRows(catalog, { sql: query, parameters: { ...parameters, id: row.prediction_id } }, readPredictionRow, options)
  return rows.filter(({ metric }) => isSameMetric(metric, row.metric)).map(sibling)
}

const sameModel = (row: PredictionRow): SqlPart => {
  const same = 'model_name = $model AND dataset_name = $dataset'
  const parameters = { model: row.model_name, dataset: row.dataset_name }
  if (row.chain_id !== null) return { sql: `chain_id = $chain AND ${same}`, parameters: { ...parameters, chain: row.chain_id } }
  if (row.pipeline_id === null) return { sql: `chain_id IS NULL AND pipeline_id IS NULL AND ${same}`, parameters }
  return { sql: `chain_id IS NULL AND pipeline_id = $pipeline AND ${same}`, parameters: { ...parameters, pipeline: row.pipeline_id } }
}

const sibling = (row: PredictionRow): PredictionDetail['siblings'][number] => ({
  prediction_id: row.prediction_id,
  fold_id: row.fold_id,
  fold_kind: row.fold_kind,
  partition: row.partition,
  val_score: row.val_score,
  test_score: row.test_score,
  train_score: row.train_score,
  n_samples: row.n_samples,
  has_arrays: row.has_arrays,
})
