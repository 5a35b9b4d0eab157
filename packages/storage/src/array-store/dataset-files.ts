import { arrayFileName } from '../arrays/file-name.ts'
import { isStorageError } from '../errors.ts'
import { columnOf, textsOf } from '../parquet/column-block.ts'
import { readSummary } from '../parquet/own-metadata.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { LazyEngine } from './lazy-engine.ts'

/** The datasets of a file with their rows, replaced and removed ones included: from its summary, or else from the rows themselves. */
export const datasetsOf = async (reader: ArrayFileReader): Promise<Map<string, number>> => {
  const summary = readSummary(reader.file.footer)
  // Another program may have added rows and kept our entries.
  if (summary !== null && summary.rows === reader.rows) return new Map(summary.datasets.map(({ name, rows }) => [name, rows]))
  const datasets = new Map<string, number>()
  for await (const { block } of reader.blocks(['dataset_name'])) {
    for (const name of textsOf(columnOf(block, 'dataset_name'))) datasets.set(name ?? '', (datasets.get(name ?? '') ?? 0) + 1)
  }
  return datasets
}

/** The files with rows of a dataset; the one that is called after it comes last. A damaged one is an error only when it is that one. */
export const filesOfDataset = async (folder: ArrayFolder, engine: LazyEngine, datasetName: string): Promise<string[]> => {
  const own = arrayFileName(datasetName)
  const names = await folder.names()
  const others: string[] = []
  for (const name of names) if (name !== own && (await datasetsIn(folder, engine, name)).has(datasetName)) others.push(name)
  return names.includes(own) ? [...others, own] : others
}

/** The datasets of a file, remembered as long as it stays the same; none when it cannot be read. */
const datasetsIn = async (folder: ArrayFolder, engine: LazyEngine, name: string): Promise<ReadonlySet<string>> => {
  try {
    const stamp = await folder.stamp(name)
    const cached = folder.datasets.get(name)
    if (stamp !== null && cached?.stamp === stamp) return cached.names
    const reader = await folder.open(name, engine)
    const names = new Set((await datasetsOf(reader).finally(() => reader.close())).keys())
    if (stamp !== null) folder.datasets.set(name, { stamp, names })
    return names
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt', 'arrays_missing')) return new Set()
    throw error
  }
}

/** The datasets of all files that can be read, sorted: by what their rows say, not by how the files are called. */
export const listDatasets = async (folder: ArrayFolder, engine: LazyEngine): Promise<string[]> => {
  const names = new Set<string>()
  for (const name of await folder.names()) for (const dataset of await datasetsIn(folder, engine, name)) names.add(dataset)
  return [...names].sort()
}
