import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { openParquet } from '../arrays/parquet-file.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'

/** More than a row group of ours has rows. */
const namedIds = 4096
const Place = z.object({ ids: z.array(z.string()).nullable(), datasets: z.array(z.string()).nullable() })

/**
 * Names the dataset and the predictions of damaged row groups, from the rows that `checkArrayFile` has collected. `firstRows`: where each
 * row group of the file begins, and behind the last one its end. A group of several datasets names none.
 */
export const locateDamage = (
  engine: Engine,
  path: string,
  firstRows: readonly number[],
  findings: readonly Finding[],
): Promise<Finding[]> =>
  locate(engine, { sql: 'SELECT * FROM memory.main.array_rows WHERE origin = $path', parameters: { path } }, firstRows, findings)

/** The same for a file of which no rows could be collected, from its columns of names; without these where they are damaged as well. */
export const locateInFile = async (
  engine: Engine,
  { root, path }: { readonly root: string; readonly path: string },
  firstRows: readonly number[],
  findings: readonly Finding[],
): Promise<Finding[]> => {
  const file = await openParquet(engine, root, path)
  try {
    const sql = `SELECT file_row_number AS position, prediction_id, dataset_name FROM ${file.relation}`
    return await locate(engine, { sql, parameters: {} }, firstRows, findings)
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return [...findings]
    throw error
  } finally {
    await file.close()
  }
}

interface Rows {
  /** position, prediction_id, dataset_name. */
  readonly sql: string
  readonly parameters: Record<string, string>
}

const locate = async (
  engine: Engine,
  { sql, parameters }: Rows,
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
       FROM (${sql}) WHERE position >= $from AND position < $to AND prediction_id IS NOT NULL`,
      { ...parameters, from, to },
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
