import * as z from 'zod'
import { openParquet } from '../arrays/parquet-file.ts'
import { idsOf, type OpenWorkspace } from './maintenance-workspace.ts'

export interface FileWithDataset {
  readonly path: string
  /** Rows of the dataset without an id: they stay, as the trash keeps arrays by their ids. */
  readonly nameless: number
  /** Whether it holds nothing else, so that it goes with the dataset. */
  readonly goes: boolean
}

/** The array files that hold rows of a dataset, by the column alone, as arrays are removed: rows that are removed already count too. */
export const filesWithDataset = async (open: OpenWorkspace, dataset: string): Promise<FileWithDataset[]> => {
  const paths = await idsOf(
    open,
    'SELECT DISTINCT path AS id FROM array_rows JOIN array_file_names USING (file) WHERE dataset_name = $dataset ORDER BY 1',
    { dataset },
  )
  const files: FileWithDataset[] = []
  for (const path of paths) files.push({ path, ...(await lookInto(open, path, dataset)) })
  return files
}

const lookInto = async ({ engine, resolved }: OpenWorkspace, path: string, dataset: string) => {
  const { relation, columns, close } = await openParquet(engine, resolved.root, path)
  try {
    const name = columns.has('dataset_name') ? "coalesce(dataset_name::VARCHAR, '')" : "''"
    return await engine.one(
      z.object({ nameless: z.number(), goes: z.boolean() }),
      `SELECT count(*) FILTER (prediction_id IS NULL AND ${name} = $dataset) AS nameless,
         count(*) FILTER (prediction_id IS NULL OR ${name} <> $dataset) = 0 AS goes FROM ${relation}`,
      { dataset },
    )
  } finally {
    await close()
  }
}

/** What stays of the dataset, in words. */
export const warningsOfNameless = (files: readonly FileWithDataset[]): string[] =>
  files
    .filter(({ nameless }) => nameless > 0)
    .map(
      ({ path, nameless }) =>
        `${nameless === 1 ? 'One row' : `${nameless} rows`} without an id ${nameless === 1 ? 'stays' : 'stay'} in ${path}: arrays are kept in the trash by the ids of their predictions.`,
    )
