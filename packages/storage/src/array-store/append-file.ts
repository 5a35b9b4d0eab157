import { basename, dirname } from 'node:path'
import { arrayFileName } from '../arrays/file-name.ts'
import { columnOf, rowsOf, textsOf } from '../parquet/column-block.ts'
import { type FileSummary, readSummary } from '../parquet/own-metadata.ts'
import { type AppendContext, appendRows, summaryOf } from './append-rows.ts'
import { ArrayFileReader } from './array-file-reader.ts'
import { uncarriedColumns } from './damaged-file.ts'
import { ReplacedRows, visitIds } from './last-rows.ts'
import { dropRemovedElsewhere, findRemovedElsewhere, type RowIdentity, removedIds } from './removed-elsewhere.ts'
import type { BatchBlock, RowBatch } from './row-batch.ts'
import type { RowMarks } from './row-marks.ts'
import { clearSaved } from './tombstone-file.ts'

/**
 * Adds all rows that count of a Parquet file anywhere, or those of some predictions, to the files of their datasets, as `saveBatch` would.
 * Row groups that go as a whole are copied byte by byte. Memory is a row group and the ids.
 */
export const appendFile = async (context: AppendContext, path: string, only?: ReadonlySet<string>): Promise<number> => {
  const source = await ArrayFileReader.open(dirname(path), basename(path), context.engine)
  try {
    if (source.uncarried.length > 0) throw uncarriedColumns(source.name, source.uncarried)
    const { idsByFile, left, again } = await surveySource(source, await removedIds(context), only)
    const elsewhere = await findRemovedElsewhere(context, again)
    const known = readSummary(source.file.footer)
    // One that does not say what the metadata does would have every row of the file asked about.
    const isTaken = known !== null && (known.context_exact || context.contextsOf === undefined)
    let written = 0
    for (const [name, ids] of idsByFile) {
      const isWhole = idsByFile.size === 1 && left.count === 0
      const batch = batchOf(source, name, ids, left, isWhole && isTaken ? await summaryOf(source) : null)
      written += await appendToFile(context, name, batch)
    }
    await dropRemovedElsewhere(context, elsewhere)
    await clearSaved(
      context.folder,
      [...idsByFile.values()].flatMap((ids) => [...ids]),
    )
    return written
  } finally {
    await source.close()
  }
}

const appendToFile = async (context: AppendContext, name: string, batch: RowBatch): Promise<number> => {
  const reader = await context.folder.openIfThere(name, context.engine)
  try {
    return await appendRows(context, name, reader, batch)
  } finally {
    reader?.closeLater()
  }
}

interface Survey {
  readonly idsByFile: ReadonlyMap<string, ReadonlySet<string>>
  /** Rows that do not come along: a later one has replaced them, or nobody wants them. */
  readonly left: RowMarks
  /** Rows of predictions that are removed until now. */
  readonly again: readonly RowIdentity[]
}

const surveySource = async (
  source: ArrayFileReader,
  removed: { has(id: string): boolean },
  only: ReadonlySet<string> | undefined,
): Promise<Survey> => {
  const idsByFile = new Map<string, Set<string>>()
  const replaced = new ReplacedRows(source.rows)
  const again: RowIdentity[] = []
  await visitIds(source, (row, id, dataset) => {
    if (only?.has(id) === false) {
      replaced.marks.add(row)
      return
    }
    replaced.visit(row, id, dataset)
    const name = arrayFileName(dataset)
    const ids = idsByFile.get(name)
    if (ids === undefined) idsByFile.set(name, new Set([id]))
    else ids.add(id)
    if (removed.has(id)) again.push({ prediction_id: id, dataset_name: dataset })
  })
  return { idsByFile, left: replaced.marks, again }
}

const batchOf = (
  reader: ArrayFileReader,
  name: string,
  ids: ReadonlySet<string>,
  left: RowMarks,
  summary: FileSummary | null,
): RowBatch => ({
  forms: reader.forms,
  ids,
  reader,
  summary,
  refits: readSummary(reader.file.footer)?.refits ?? [],
  blocks: async function* () {
    for await (const { firstRow, block, group } of reader.blocks()) {
      const texts = textsOf(columnOf(block, 'prediction_id'))
      const datasets = textsOf(columnOf(block, 'dataset_name'))
      const rows = Array.from({ length: rowsOf(block) }, (_, row) => row).filter(
        (row) => texts[row] !== null && !left.has(firstRow + row) && arrayFileName(datasets[row] ?? '') === name,
      )
      const found: BatchBlock = { block, rows, group, contextOf: () => undefined }
      yield found
    }
  },
})
