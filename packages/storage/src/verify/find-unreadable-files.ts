import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { arrayFileName } from '../arrays/file-name.ts'
import { missingFile } from '../arrays/pin-file.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ArrayFile } from '../workspace/array-files.ts'
import { concerning } from '../workspace/array-findings.ts'

const namedIds = 100

/** A dataset with predictions without a row anywhere. */
interface Lacking {
  readonly name: string
  readonly path: string
  readonly predictions: number
  readonly ids: readonly string[]
}

/** The files that are damaged or gone, each with the predictions whose arrays are lost with it. */
export interface UnreadableFiles {
  /** The predictions of each damaged file. */
  readonly damaged: ReadonlyMap<string, number>
  readonly missing: Finding[]
}

/**
 * Which files that datasets should have are not there, and what is lost with those and with the damaged ones; notes their datasets. A
 * dataset of predictions that never had samples needs no file. None is missing while the table of the store holds arrays, nor in a legacy
 * store that has no files yet: then a file is not where they belong.
 */
export const findUnreadableFiles = async (
  engine: Engine,
  files: readonly ArrayFile[],
  damagedPaths: ReadonlySet<string>,
): Promise<UnreadableFiles> => {
  const there = new Set(files.map(({ path }) => path))
  const concerned = (await lackingDatasets(engine, files.length)).filter(({ path, needsFile }) =>
    there.has(path) ? damagedPaths.has(path) : needsFile,
  )
  await appendColumns(engine, { alias: 'memory', table: 'unreadable' }, [{ type: 'varchar', values: concerned.map(({ name }) => name) }])
  const byPath = Map.groupBy(concerned, ({ path }) => path)
  const [damaged, gone] = [[...byPath].filter(([path]) => there.has(path)), [...byPath].filter(([path]) => !there.has(path))]
  return {
    damaged: new Map(damaged.map(([path, datasets]) => [path, countOf(datasets)])),
    missing: gone.map(([path, datasets]) => missingFinding(path, datasets)),
  }
}

const lackingDatasets = async (engine: Engine, files: number) => {
  const datasets = await engine.rows(
    z.object({ name: z.string(), predictions: z.number(), ids: z.array(z.string()), needsFile: z.boolean() }),
    `SELECT coalesce(dataset_name, '') AS name, count(*) AS predictions, list(prediction_id ORDER BY prediction_id)[1:${namedIds}] AS ids,
       coalesce(max(n_samples), 0) > 0 AND NOT EXISTS (FROM memory.main.array_rows WHERE origin = 'prediction_arrays')
         AND ($files > 0 OR NOT EXISTS (FROM memory.main.legacy_tables)) AS "needsFile"
     FROM memory.main.known
     WHERE prediction_id NOT IN (SELECT prediction_id FROM memory.main.array_rows WHERE prediction_id IS NOT NULL)
     GROUP BY 1 ORDER BY name`,
    { files },
  )
  return datasets.map((dataset) => ({ ...dataset, path: `arrays/${arrayFileName(dataset.name)}` }))
}

const countOf = (datasets: readonly Lacking[]): number => datasets.reduce((sum, { predictions }) => sum + predictions, 0)

const missingFinding = (path: string, datasets: readonly Lacking[]): Finding => {
  const [only, ...others] = datasets.map(({ name }) => name)
  const shared = others.length === 0 ? '' : ` It is the file of ${datasets.length} datasets: ${[only, ...others].join(', ')}.`
  return {
    code: 'missing_array_file',
    severity: 'error',
    count: 1,
    detail: `${missingFile(path).message}${shared}${concerning(countOf(datasets))}`,
    ...(others.length > 0 || only === undefined ? {} : { dataset_name: only }),
    ids: datasets.flatMap(({ ids }) => ids).slice(0, namedIds),
  }
}
