import { stat } from 'node:fs/promises'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { isStorageError } from '../errors.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { ArrayFileStats, ArrayStats } from './array-reports.ts'
import { datasetsOf } from './dataset-files.ts'
import type { LazyEngine } from './lazy-engine.ts'

/** What lies in arrays/, from the footers; only files without a summary are read. */
export const arrayStats = async (folder: ArrayFolder, engine: LazyEngine): Promise<ArrayStats> => {
  const files: ArrayFileStats[] = []
  const unreadable: string[] = []
  let bytes = 0
  for (const name of await folder.names()) {
    const found = await fileStats(folder, engine, name)
    if (found === null) {
      unreadable.push(`arrays/${name}`)
      bytes += (await stat(folder.pathOf(name))).size
    } else {
      files.push(found)
      bytes += found.bytes
    }
  }
  return {
    total_files: files.length + unreadable.length,
    total_rows: files.reduce((rows, file) => rows + file.rows, 0),
    total_bytes: bytes,
    datasets: byDataset(files),
    files,
    tombstones: (await readTombstonesIfSound(folder.path))?.size ?? null,
    unreadable,
  }
}

const fileStats = async (folder: ArrayFolder, engine: LazyEngine, name: string): Promise<ArrayFileStats | null> => {
  try {
    const reader = await folder.open(name, engine)
    try {
      const datasets = [...(await datasetsOf(reader))].map(([dataset, rows]) => ({ name: dataset, rows }))
      return { file: `arrays/${name}`, rows: reader.rows, bytes: reader.file.footer.fileBytes, datasets }
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return null
    throw error
  }
}

const byDataset = (files: readonly ArrayFileStats[]): ArrayStats['datasets'] => {
  const found = new Map<string, { name: string; rows: number; bytes: number; files: string[] }>()
  for (const file of files) {
    for (const { name, rows } of file.datasets) {
      const dataset = found.get(name) ?? { name, rows: 0, bytes: 0, files: [] }
      dataset.rows += rows
      dataset.bytes += Math.round((file.bytes * rows) / Math.max(1, file.rows))
      dataset.files.push(file.file)
      found.set(name, dataset)
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
