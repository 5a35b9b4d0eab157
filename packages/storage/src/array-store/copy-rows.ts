import { dirname } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { syncFolder } from '../files/disk.ts'
import { formsWith } from '../migration/array-columns.ts'
import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import type { RowBlock } from '../parquet/column-block.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { completeFile } from '../parquet/complete-file.ts'
import { readSummary } from '../parquet/own-metadata.ts'
import { takeRows } from '../parquet/take-rows.ts'
import { type AppendContext, completed } from './append-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { CopyRowsOptions } from './array-operations.ts'
import { clashingColumn, uncarriedColumns } from './damaged-file.ts'
import { PendingRows } from './rewrite-file.ts'
import { blocksWith, findRows } from './row-positions.ts'
import { SummaryBuilder, summaryRows } from './summary-builder.ts'

/**
 * Streams the rows that count of these predictions, removed ones included, into a new sealed file, verified and durable when this
 * returns. The file is there even when there are none; it must not exist before. On failure it is taken away again.
 */
export const copyRows = async (
  context: AppendContext,
  ids: ReadonlySet<string>,
  targetPath: string,
  options: CopyRowsOptions = {},
): Promise<number> => {
  const readers: ArrayFileReader[] = []
  try {
    for (const name of options.files ?? (await context.folder.names())) readers.push(await context.folder.open(name, context.engine))
    const sources: Source[] = []
    for (const reader of readers) {
      const rows = [...(await findRows(reader, ids)).values()].map(({ row }) => row).sort((a, b) => a - b)
      if (rows.length > 0) sources.push({ reader, rows })
    }
    return await writeRows(context, sources, targetPath)
  } finally {
    for (const reader of readers) await reader.close()
  }
}

interface Source {
  readonly reader: ArrayFileReader
  readonly rows: readonly number[]
}

const writeRows = async ({ signal }: AppendContext, sources: readonly Source[], targetPath: string): Promise<number> => {
  const forms = allForms(sources.map(({ reader }) => reader))
  const writer = await createTarget(targetPath, forms)
  try {
    const pending = new PendingRows(writer)
    const summary = new SummaryBuilder(
      null,
      sources.flatMap(({ reader }) => readSummary(reader.file.footer)?.refits ?? []),
    )
    for (const { reader, rows } of sources) {
      await reader.requireDecodable({ groups: new Set(rows.map((row) => reader.groupOf(row))), signal })
      for await (const found of blocksWith(reader, rows)) {
        signal?.throwIfAborted()
        const block: RowBlock = completed(takeRows(found.block, found.rows), forms)
        const all = found.rows.map((_, row) => row)
        for (const row of summaryRows(block, all)) summary.add(row, undefined)
        await pending.add(block)
      }
    }
    await pending.flush()
    await completeFile(writer, summary.result())
    await syncFolder(dirname(targetPath))
    return writer.rows
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

const createTarget = async (path: string, forms: readonly ColumnForm[]): Promise<ArrayFileWriter> => {
  try {
    return await ArrayFileWriter.create(path, forms)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const folder = dirname(path)
      const said = `There is no folder ${folder}. Nothing was written.`
      throw new StorageError('write_failed', said, { path: folder, hint: 'Make it first.' }, error)
    }
    if (code !== 'EEXIST') throw error
    throw new StorageError(
      'write_failed',
      'There is a file of that name already; it was not touched.',
      { path, hint: 'Choose another name.' },
      error,
    )
  }
}

/** The columns of all files: the fourteen, then those of later releases. */
const allForms = (readers: readonly ArrayFileReader[]): ColumnForm[] => {
  const forms = new Map<string, ColumnForm>(formsWith([]).map((form) => [form.name, form]))
  for (const reader of readers) {
    if (reader.uncarried.length > 0) throw uncarriedColumns(reader.name, reader.uncarried)
    for (const form of reader.forms) {
      const before = forms.get(form.name)
      if (before !== undefined && before.type !== form.type)
        throw clashingColumn({ form, of: reader.name }, { form: before, of: 'another file' })
      forms.set(form.name, form)
    }
  }
  return [...forms.values()]
}
