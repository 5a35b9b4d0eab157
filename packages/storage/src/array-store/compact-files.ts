import { stat } from 'node:fs/promises'
import { readTombstones } from '../arrays/tombstones.ts'
import { isStorageError } from '../errors.ts'
import type { AppendContext } from './append-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { CompactedFile, CompactOptions, CompactReport, CorruptFile, KnownIds } from './array-reports.ts'
import { datasetsOf, filesOfDataset } from './dataset-files.ts'
import { idsInFiles } from './ids-in-files.ts'
import { ReplacedRows, visitRepeated, visitRowsOf } from './last-rows.ts'
import { isFragmented, rewriteFile } from './rewrite-file.ts'
import { RowMarks } from './row-marks.ts'
import { removeTombstones } from './tombstone-file.ts'

/**
 * Removes rows that no longer count: removed predictions, and all but the last row of each; with a dataset named, only rows of it, whatever
 * else its files hold. A file goes with its last row. A removed prediction that the metadata knows
 * keeps its row and is no longer removed; with a dataset named it stays removed while another dataset has rows of it. Stops before the first file when the list of removed predictions is damaged; a damaged
 * file is reported, left as it is, and does not keep the others from being compacted.
 */
export const compactFiles = async (
  context: AppendContext,
  datasetName: string | undefined,
  options: CompactOptions,
): Promise<CompactReport> => {
  const tombstones = await readTombstones(context.folder.path)
  const known = await knownOf([...tombstones.keys()], options.isKnown)
  const doomed = new Set([...tombstones.keys()].filter((id) => !known.has(id)))
  const all = await context.folder.names()
  const wanted = datasetName === undefined ? all : await filesOfDataset(context.folder, context.engine, datasetName)
  const names = wanted.filter((name) => options.isLeft?.(`arrays/${name}`) !== true)
  const files: CompactedFile[] = []
  const corrupt: CorruptFile[] = []
  for (const name of names) {
    const result = await compactUnlessDamaged(context, name, { doomed, datasetName }, options)
    if ('reason' in result) corrupt.push(result)
    else files.push(result)
  }
  const waiting =
    corrupt.length > 0
      ? doomed
      : await idsInFiles(
          context,
          // With a dataset named, those that were done still hold the rows of others.
          pathsOf((await context.folder.names()).filter((name) => datasetName !== undefined || !names.includes(name))),
          doomed,
        )
  // A mark is for every dataset: with one named, what it hides of others is not asked about.
  const shared =
    datasetName === undefined ? new Set() : await idsInFiles(context, pathsOf(await context.folder.names()), known, datasetName)
  return {
    files,
    corrupt,
    rows_removed: files.reduce((rows, file) => rows + file.rows_before - file.rows_after, 0),
    bytes_freed: files.reduce((bytes, file) => bytes + file.bytes_before - file.bytes_after, 0),
    tombstones_cleared: await removeTombstones(
      context.folder,
      [...tombstones.keys()].filter((id) => !waiting.has(id) && !shared.has(id)),
    ),
  }
}

const pathsOf = (names: readonly string[]): string[] => names.map((name) => `arrays/${name}`)

const idsPerQuestion = 10_000

const knownOf = async (ids: readonly string[], isKnown: KnownIds | undefined): Promise<ReadonlySet<string>> => {
  const known = new Set<string>()
  if (isKnown === undefined) return known
  for (let from = 0; from < ids.length; from += idsPerQuestion) {
    for (const id of await isKnown(ids.slice(from, from + idsPerQuestion))) known.add(id)
  }
  return known
}

interface Unwanted {
  readonly doomed: ReadonlySet<string>
  readonly datasetName: string | undefined
}

const compactUnlessDamaged = async (
  context: AppendContext,
  name: string,
  unwanted: Unwanted,
  options: CompactOptions,
): Promise<CompactedFile | CorruptFile> => {
  try {
    return await compactFile(context, name, unwanted, options)
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt', 'store_too_new')) return { file: `arrays/${name}`, reason: error.message }
    throw error
  }
}

const compactFile = async (
  context: AppendContext,
  name: string,
  unwanted: Unwanted,
  { onProgress, signal }: CompactOptions,
): Promise<CompactedFile> => {
  const stamp = await context.folder.stamp(name)
  const reader = await context.folder.open(name, context.engine)
  try {
    const datasets = [...(await datasetsOf(reader)).keys()].sort()
    const rows = await rowsToDrop(reader, unwanted)
    const before = { file: `arrays/${name}`, datasets, rows_before: reader.rows, bytes_before: reader.file.footer.fileBytes }
    const removed = { tombstoned_removed: rows.tombstoned.count, duplicates_removed: rows.all.count - rows.tombstoned.count }
    if (rows.all.count === 0 && reader.rows > 0 && !isFragmented(reader))
      return { ...before, ...removed, rows_after: reader.rows, bytes_after: before.bytes_before }
    let done = 0
    const onRows = (more: number) => {
      done += more
      onProgress?.({ file: before.file, rows: done, total_rows: reader.rows })
    }
    const rewriting = { ...context, signal: signal ?? context.signal, onRows }
    const rows_after = await rewriteFile(rewriting, name, stamp, reader, rows)
    const bytes_after = rows_after === 0 ? 0 : (await stat(context.folder.pathOf(name))).size
    return { ...before, ...removed, rows_after, bytes_after }
  } finally {
    await reader.close()
  }
}

/** Rows that were replaced, and all rows of removed predictions. */
const rowsToDrop = async (reader: ArrayFileReader, { doomed, datasetName }: Unwanted) => {
  const isMeant = (dataset: string) => datasetName === undefined || dataset === datasetName
  const [replaced, meant] = [new ReplacedRows(reader.rows), new ReplacedRows(reader.rows)]
  await visitRepeated(reader, (row, id, dataset) => {
    replaced.visit(row, id, dataset)
    if (isMeant(dataset)) meant.visit(row, id, dataset)
  })
  const tombstoned = new RowMarks(reader.rows)
  await visitRowsOf(reader, doomed, (row, id, dataset) => {
    if (doomed.has(id) && isMeant(dataset)) tombstoned.add(row)
  })
  const all = new RowMarks(reader.rows)
  for (let row = 0; row < reader.rows; row++) if (tombstoned.has(row) || meant.marks.has(row)) all.add(row)
  return { all, replaced: replaced.marks, tombstoned }
}
