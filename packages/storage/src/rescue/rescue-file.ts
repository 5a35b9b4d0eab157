import { type AppendContext, summaryOf } from '../array-store/append-rows.ts'
import type { ArrayFileReader } from '../array-store/array-file-reader.ts'
import { findRows } from '../array-store/row-positions.ts'
import { SummaryBuilder } from '../array-store/summary-builder.ts'
import { StorageError } from '../errors.ts'
import { beginFile, formsOf } from '../merge/stage-arrays.ts'
import { writeRows } from '../merge/write-rows.ts'
import { openQueries, type RowSource } from '../migration/row-source.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { rowsOf } from '../parquet/column-block.ts'
import { compareRescued, differs, type Figures } from './compare-rescued.ts'
import { type LostDataset, type LostRows, lostRowsSql, ofDatasets, rescuableIds } from './lost-rows.ts'

/** One file of arrays/ and the datasets whose rows go into it. */
export interface FileToRescue {
  readonly name: string
  readonly datasets: readonly LostDataset[]
}

/**
 * Writes what the file has, and behind it the rows of the backup, beside the file; reads these back with a second reader, compares the SHA-256 of
 * all their arrays with that of the backup's, and gives the result the file's name. Figures per dataset. Throws `verification_failed`,
 * `arrays_corrupt`, `workspace_busy` when another program has changed the file meanwhile; the file is then as it was.
 */
export const rescueFile = async (
  rows: LostRows,
  { folder, engine, signal }: AppendContext,
  { name, datasets }: FileToRescue,
  onRows: (rows: number) => void,
): Promise<Figures> => {
  const reader = await folder.openIfThere(name, engine)
  try {
    if (reader !== null) await refuseArrived(reader, name, await rescuableIds(rows, datasets))
    const forms = formsOf(reader, [{ extras: rows.extras, name: 'store.duckdb.bak' }])
    const summary = new SummaryBuilder(reader === null ? null : await summaryOf(reader))
    const sql = lostRowsSql(rows, forms, ofDatasets(datasets))
    const writer = await beginFile(folder.partPath(), reader, forms)
    try {
      const digest = new ArraysDigest()
      const source = digested(await openQueries(rows.open.engine, [sql], signal), digest, onRows)
      const written = await writeRows(writer, forms, summary, source, signal)
      const expected = datasets.reduce((sum, { rescuable }) => sum + rescuable, 0)
      if (written !== expected) throw differs(name, `${written} rows came instead of ${expected}`)
      await compareRescued({ path: writer.path, name, rowsBefore: reader?.rows ?? 0 }, digest.results(), signal)
      await folder.publish(writer.path, name, reader?.stamp ?? null)
      return digest.results()
    } finally {
      await writer.abandon()
    }
  } finally {
    reader?.closeLater()
  }
}

/** The file that grows may be another one than the file that was looked at: a row behind one that came meanwhile would hide it. */
const refuseArrived = async (reader: ArrayFileReader, name: string, ids: readonly string[]): Promise<void> => {
  const arrived = await findRows(reader, new Set(ids))
  if (arrived.size === 0) return
  const [first] = arrived.values()
  throw new StorageError(
    'workspace_busy',
    `Another program has written arrays into ${name} that were to come from the backup, of ${arrived.size === 1 ? 'one prediction' : `${arrived.size} predictions`}: ${first?.prediction_id ?? ''}${arrived.size > 1 ? ' and others' : ''}. These stay, and the file is as that program left it.`,
    { hint: 'Wait until the other program has finished, then run the rescue again.' },
  )
}

/** Takes the digest of the rows as the backup gives them, on their way to the writer. */
const digested = (source: RowSource, digest: ArraysDigest, onRows: (rows: number) => void): RowSource => ({
  takeAbout: async (rows, bytes) => {
    const block = await source.takeAbout(rows, bytes)
    if (rowsOf(block) > 0) digest.add(block)
    onRows(rowsOf(block))
    return block
  },
  close: () => source.close(),
})
