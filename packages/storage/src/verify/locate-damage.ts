import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'

/** More than a row group of ours has rows. */
const namedIds = 4096
const Place = z.object({ ids: z.array(z.string()).nullable(), datasets: z.array(z.string()).nullable() })

/**
 * Names the dataset and the predictions of damaged row groups, from the rows that `checkArrayFile` has collected. `firstRows`: where each
 * row group of the file begins, and behind the last one its end. A group of several datasets names none.
 */
export const locateDamage = async (
  engine: Engine,
  path: string,
  firstRows: readonly number[],
  findings: readonly Finding[],
): Promise<Finding[]> => {
  const located: Finding[] = []
  for (const finding of findings) {
    const from = finding.row_group === undefined ? 0 : (firstRows[finding.row_group] ?? 0)
    const to = finding.row_group === undefined ? Number.MAX_SAFE_INTEGER : (firstRows[finding.row_group + 1] ?? Number.MAX_SAFE_INTEGER)
    const { ids, datasets } = await engine.one(
      Place,
      `SELECT list(DISTINCT prediction_id ORDER BY prediction_id)[1:${namedIds}] AS ids, list(DISTINCT dataset_name) AS datasets
       FROM memory.main.array_rows WHERE origin = $path AND position >= $from AND position < $to AND prediction_id IS NOT NULL`,
      { path, from, to },
    )
    const [only] = datasets ?? []
    const isOne = datasets?.length === 1 && only !== undefined
    located.push({
      ...finding,
      ...(isOne ? { dataset_name: only } : {}),
      ...(finding.row_group === undefined || ids === null ? {} : { ids }),
    })
  }
  return located
}
