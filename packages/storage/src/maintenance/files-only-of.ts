import * as z from 'zod'
import { openParquet } from '../arrays/parquet-file.ts'
import { idsOf, type OpenWorkspace } from './maintenance-workspace.ts'

/**
 * The array files that hold rows of one dataset and of no other, so that they go with it. By the column alone, as arrays are removed: rows
 * that are removed already or have no id count too.
 */
export const filesOnlyOf = async (open: OpenWorkspace, dataset: string): Promise<string[]> => {
  const paths = await idsOf(
    open,
    'SELECT DISTINCT path AS id FROM array_rows JOIN array_file_names USING (file) WHERE dataset_name = $dataset ORDER BY 1',
    { dataset },
  )
  const only: string[] = []
  for (const path of paths) if (!(await holdsOthers(open, path, dataset))) only.push(path)
  return only
}

const holdsOthers = async ({ engine, resolved }: OpenWorkspace, path: string, dataset: string): Promise<boolean> => {
  const { relation, columns, close } = await openParquet(engine, resolved.root, path)
  try {
    const name = columns.has('dataset_name') ? "coalesce(dataset_name::VARCHAR, '')" : "''"
    const { any } = await engine.one(
      z.object({ any: z.boolean() }),
      `SELECT count(*) > 0 AS "any" FROM ${relation} WHERE ${name} <> $dataset`,
      { dataset },
    )
    return any
  } finally {
    await close()
  }
}
