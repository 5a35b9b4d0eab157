import type { PredictionDetail, UnreadableFile } from '@nirs-workspace/types'
import * as z from 'zod'
import { missingFile } from '../arrays/pin-file.ts'
import type { Engine } from '../engine/open-engine.ts'
import { PREDICTIONS } from '../predictions/catalog-reader.ts'

const Reason = z.object({ path: z.string(), error: z.string().nullable() })
const Concerned = Reason.extend({ datasets: z.array(z.string()), predictions: z.number() })

/** The array files that are damaged or not there, by path, with the predictions whose arrays cannot be read because of that. */
export const listUnreadableFiles = async (catalog: Engine): Promise<UnreadableFile[]> => {
  const files = await catalog.rows(
    Concerned,
    `WITH concerned AS (
       SELECT array_source AS path, list(DISTINCT dataset_name ORDER BY dataset_name) AS datasets, count(*) AS predictions
       FROM ${PREDICTIONS} WHERE NOT has_arrays AND array_source IS NOT NULL GROUP BY array_source),
     damaged AS (SELECT path, error FROM catalog.array_files WHERE error IS NOT NULL)
     SELECT path, error, coalesce(datasets, []::VARCHAR[]) AS datasets, coalesce(predictions, 0) AS predictions
     FROM concerned FULL JOIN damaged USING (path) ORDER BY path`,
  )
  return files.map(({ datasets, predictions, ...reason }) => ({ ...described(reason), datasets, predictions }))
}

/** Why the file that a prediction without arrays points to cannot be read; undefined when it points to none. */
export const findUnreadableFile = async (catalog: Engine, predictionId: string): Promise<PredictionDetail['unreadable_file']> => {
  const files = await catalog.rows(
    Reason,
    `SELECT array_source AS path, error FROM ${PREDICTIONS} LEFT JOIN catalog.array_files ON path = array_source
     WHERE prediction_id = $id AND NOT has_arrays AND array_source IS NOT NULL`,
    { id: predictionId },
  )
  const last = files.at(-1)
  return last && described(last)
}

const described = ({ path, error }: z.output<typeof Reason>): Pick<UnreadableFile, 'path' | 'reason' | 'detail'> =>
  error === null ? { path, reason: 'missing', detail: missingFile(path).message } : { path, reason: 'damaged', detail: error }
