import * as z from 'zod'
import { openParquet } from '../arrays/parquet-file.ts'
import type { OpenWorkspace } from './maintenance-workspace.ts'
import { stayingIds } from './select-rows.ts'

interface FileWithDataset {
  readonly path: string
  /** Rows of the dataset without an id: they stay, as the trash keeps arrays by their ids. */
  readonly nameless: number
  /** Rows of the dataset under the ids of predictions that stay: the arrays are theirs. */
  readonly staying: number
  /** Whether it holds rows of the dataset with ids and nothing else, so that it goes with the dataset. */
  readonly goes: boolean
}

/**
 * All array files that can be read, with what they hold of a dataset: by the column alone, as arrays are removed. Rows that are removed
 * already count too. Once `selectRows` has chosen what goes.
 */
export const filesWithDataset = async (open: OpenWorkspace, dataset: string): Promise<FileWithDataset[]> => {
  const files: FileWithDataset[] = []
  for (const { path, error } of open.index.files) if (error === null) files.push({ path, ...(await lookInto(open, path, dataset)) })
  return files
}

const lookInto = async ({ engine, resolved }: OpenWorkspace, path: string, dataset: string) => {
  const { relation, columns, close } = await openParquet(engine, resolved.root, path)
  try {
    const name = columns.has('dataset_name') ? "coalesce(dataset_name::VARCHAR, '')" : "''"
    return await engine.one(
      z.object({ nameless: z.number(), staying: z.number(), goes: z.boolean() }),
      `SELECT count(*) FILTER (prediction_id IS NULL AND ${name} = $dataset) AS nameless,
         count(*) FILTER (${isStaying} AND ${name} = $dataset) AS staying,
         count(*) > 0 AND count(*) FILTER (prediction_id IS NULL OR ${isStaying} OR ${name} <> $dataset) = 0 AS goes FROM ${relation}`,
      { dataset },
    )
  } finally {
    await close()
  }
}

const isStaying = `coalesce(prediction_id IN (${stayingIds}), false)`

/** What stays of the dataset, in words. */
export const warningsOfRows = (files: readonly FileWithDataset[]): string[] => [...warningsOfNameless(files), ...warningsOfStaying(files)]

const warningsOfStaying = (files: readonly FileWithDataset[]): string[] =>
  files
    .filter(({ staying }) => staying > 0)
    .map(
      ({ path, staying }) =>
        `${staying === 1 ? 'One row stays' : `${staying} rows stay`} in ${path} under the ${staying === 1 ? 'id of a prediction' : 'ids of predictions'} that the store has of another dataset: \`verify\` names ${staying === 1 ? 'it' : 'them'}.`,
    )

const warningsOfNameless = (files: readonly FileWithDataset[]): string[] =>
  files
    .filter(({ nameless }) => nameless > 0)
    .map(
      ({ path, nameless }) =>
        `${nameless === 1 ? 'One row' : `${nameless} rows`} without an id ${nameless === 1 ? 'stays' : 'stay'} in ${path}: arrays are kept in the trash by the ids of their predictions.`,
    )
