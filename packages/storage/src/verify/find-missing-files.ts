import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { arrayFileName } from '../arrays/file-name.ts'
import { missingFile } from '../arrays/pin-file.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ArrayFile } from '../workspace/array-files.ts'

const Lacking = z.object({ name: z.string(), ids: z.array(z.string()) })
const namedIds = 100

/**
 * The files that datasets with predictions without arrays should have, and have not. A dataset of predictions that never had samples needs
 * none. Not while the table of the store holds arrays, nor in a legacy store that has no files yet: then a file is not where they belong.
 */
export const findMissingFiles = async (engine: Engine, files: readonly ArrayFile[]): Promise<Finding[]> => {
  const lacking = await engine.rows(
    Lacking,
    `SELECT coalesce(dataset_name, '') AS name, list(prediction_id ORDER BY prediction_id)[1:${namedIds}] AS ids FROM memory.main.known
     WHERE prediction_id NOT IN (SELECT prediction_id FROM memory.main.array_rows WHERE prediction_id IS NOT NULL)
       AND NOT EXISTS (FROM memory.main.array_rows WHERE origin = 'prediction_arrays')
       AND ($files > 0 OR NOT EXISTS (FROM memory.main.legacy_tables))
     GROUP BY 1 HAVING max(n_samples) > 0 ORDER BY name`,
    { files: files.length },
  )
  const there = new Set(files.map(({ path }) => path))
  return lacking
    .map(({ name, ids }) => ({ name, ids, path: `arrays/${arrayFileName(name)}` }))
    .filter(({ path }) => !there.has(path))
    .map(({ name, ids, path }) => ({
      code: 'missing_array_file',
      severity: 'error',
      count: 1,
      detail: missingFile(path).message,
      dataset_name: name,
      ids,
    }))
}
