import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import * as z from 'zod'
import { arrayFileName } from '../arrays/file-name.ts'
import { openParquet, type ParquetFile } from '../arrays/parquet-file.ts'
import { refuseChanged } from '../arrays/refuse-changed.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { isStorageError } from '../errors.ts'
import { columnOf, offsetsOf, type RowBlock, rowsOf, textsOf } from '../parquet/column-block.ts'
import { listArrayFiles } from '../workspace/array-files.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { arrayFileColumns, type ExtraColumn, isArrayFileColumn, selectOr } from './array-columns.ts'
import { type SourceTables, sourceTable } from './source-tables.ts'
import { tableRowsSql } from './staged-file.ts'

/** An array file from before the migration, open for reading. */
export interface ExistingFile {
  readonly name: string
  readonly parquet: ParquetFile
  readonly extras: readonly ExtraColumn[]
  readonly rows: number
  /** Whether any row must change: it is in the table as well, twice in the files, or removed. */
  touched: boolean
}

/** What the files of a half-migrated workspace hold, compared with the table row by row, bit by bit. */
export interface ExistingArrays {
  readonly files: readonly ExistingFile[]
  readonly corrupt: readonly { name: string; reason: string }[]
  readonly staleIds: readonly string[]
  readonly parquetOnlyIds: readonly string[]
  readonly duplicateIds: readonly string[]
  /** Rows of arrays/ that neither the table nor the metadata knows. */
  readonly unknownIds: readonly string[]
  /** Rows that were deleted before: tombstoned, and unknown to the metadata. */
  readonly removedIds: readonly string[]
  /** Rows that differ from the table or from a later duplicate: kept in the quarantine file. */
  readonly quarantined: number
}

/**
 * Fates of the rows are left in the engine as `fates(file, file_row, prediction_id, fate)`: `extras` (the table has the same row; only
 * columns it does not know are taken), `keep`, `quarantine`, `drop` (a copy of another row, or removed by the user).
 */
export const readExisting = async (
  engine: Engine,
  workspace: ResolvedWorkspace,
  tables: SourceTables,
  tombstones: ReadonlyMap<string, string>,
): Promise<ExistingArrays & { close: () => Promise<void> }> => {
  await engine.run('CREATE OR REPLACE TABLE memory.main.fates(file VARCHAR, file_row BIGINT, prediction_id VARCHAR, fate VARCHAR)')
  await engine.run('CREATE OR REPLACE TABLE memory.main.there(file VARCHAR, file_row BIGINT, prediction_id VARCHAR)')
  const files: ExistingFile[] = []
  const corrupt: { name: string; reason: string }[] = []
  const digests = new Map<string, RowDigests[]>()
  const close = async () => {
    for (const file of files) await file.parquet.close()
  }
  for (const { path } of await listArrayFiles(workspace)) {
    const name = basename(path)
    const opened = await openExisting(engine, workspace.root, path)
    if ('reason' in opened) corrupt.push({ name, reason: opened.reason })
    else {
      files.push(opened.file)
      digests.set(name, opened.digests)
    }
  }
  try {
    const outcome = await judgeRows(engine, files, digests, tables, tombstones)
    return { files, corrupt, ...outcome, close }
  } catch (error) {
    await close()
    throw error
  }
}

const openExisting = async (
  engine: Engine,
  root: string,
  path: string,
): Promise<{ file: ExistingFile; digests: RowDigests[] } | { reason: string }> => {
  let parquet: ParquetFile | undefined
  try {
    await refuseChanged(root, path)
    parquet = await openParquet(engine, root, path)
    const name = basename(path)
    const extras = [...parquet.columns].flatMap(([column, type]) => (isArrayFileColumn(column) ? [] : [{ name: column, type }]))
    const digests: RowDigests[] = []
    const ids: (string | null)[] = []
    for await (const block of readBlocks(engine, withExtrasText(parquet, extras))) {
      digests.push(...digestsOf(block))
      ids.push(...textsOf(columnOf(block, 'prediction_id')))
    }
    await engine.run(`INSERT INTO memory.main.there SELECT ${quotedString(name)}, file_row_number, prediction_id FROM ${parquet.relation}`)
    return { file: { name, parquet, extras, rows: ids.length, touched: false }, digests }
  } catch (error) {
    await parquet?.close()
    if (isStorageError(error, 'arrays_corrupt') || (error instanceof Error && !isStorageError(error) && error.constructor === Error))
      return { reason: firstLine(error) }
    throw error
  }
}

const firstLine = (error: Error): string => (error.message.split('\n')[0] ?? '').replace(/\/proc\/self\/fd\/\d+/g, 'the file').slice(0, 300)

/** The known columns of a file, typed; those it lacks are null. */
export const existingRowsSql = (parquet: ParquetFile, extras: readonly ExtraColumn[] = []): string => {
  const columns = [...Object.entries(arrayFileColumns).map(([name, type]) => ({ name, type })), ...extras].map(({ name, type }) =>
    selectOr(parquet.columns.has(name), `r.${quotedIdentifier(name)}`, name, type),
  )
  return `SELECT ${columns.join(', ')} FROM ${parquet.relation} r`
}

/** The known columns, to the bit, but with the extra ones as text. */
const withExtrasText = (parquet: ParquetFile, extras: readonly ExtraColumn[]): string => {
  const texts = extras.map(({ name }, index) => `r.${quotedIdentifier(name)}::VARCHAR AS ${extraPrefix}${index}`)
  return `${existingRowsSql(parquet).replace('SELECT ', `SELECT ${texts.map((text) => `${text}, `).join('')}`)} ORDER BY file_row_number`
}

const extraPrefix = 'nirs_workspace_extra_'

/** Of the known columns, and of those that only some releases have; the second is empty when those are all null. */
interface RowDigests {
  readonly known: string
  readonly extras: string
}

const digestsOf = (block: RowBlock): RowDigests[] => {
  const isExtra = ({ name }: { name: string }) => name.startsWith(extraPrefix)
  const known = rowDigests(block.filter((column) => !isExtra(column)))
  const extras = block.filter(isExtra)
  const ofExtras = rowDigests(extras)
  return known.map((digest, row) => ({ known: digest, extras: extras.some(({ valid }) => valid[row] === 1) ? (ofExtras[row] ?? '') : '' }))
}

interface There extends RowDigests {
  file: ExistingFile
  row: number
  id: string
}

const judgeRows = async (
  engine: Engine,
  files: readonly ExistingFile[],
  digests: ReadonlyMap<string, readonly RowDigests[]>,
  tables: SourceTables,
  tombstones: ReadonlyMap<string, string>,
) => {
  const inTable = await tableDigests(engine, tables)
  const known = await knownIds(engine)
  const byId = await rowsById(engine, files, digests)
  const fates: { row: There; fate: string }[] = []
  const stale: string[] = []
  const only: string[] = []
  const duplicates: string[] = []
  const removed: string[] = []
  for (const [id, rows] of byId) {
    if (rows.length > 1) duplicates.push(id)
    const table = inTable.get(id)
    const isRemoved = tombstones.has(id) && !known.has(id)
    if (table === undefined && !isRemoved) only.push(id)
    if (isRemoved) removed.push(id)
    if (table !== undefined && rows.some((row) => row.known !== table.digest)) stale.push(id)
    for (const fate of fatesOf(rows, table, isRemoved)) fates.push(fate)
  }
  for (const { row, fate } of fates) if (fate !== 'keep') row.file.touched = true
  await saveFates(engine, fates)
  const unknownIds = only.filter((id) => !known.has(id))
  const quarantined = fates.filter(({ fate }) => fate === 'quarantine').length
  return { staleIds: stale, parquetOnlyIds: only, duplicateIds: duplicates, unknownIds, removedIds: removed, quarantined }
}

/**
 * The last of several rows counts, as for the library; others are copies of it, or differ and are kept apart. A copy that alone has values
 * of a later release's columns is no mere copy.
 */
const fatesOf = (rows: readonly There[], table: TableRow | undefined, isRemoved: boolean): { row: There; fate: string }[] => {
  const last = rows.at(-1)
  if (isRemoved || last === undefined) return rows.map((row) => ({ row, fate: 'drop' }))
  const copyFate = (row: There, kept: There | undefined) => (row.extras === '' || row.extras === kept?.extras ? 'drop' : 'quarantine')
  if (table === undefined) {
    return rows.map((row) => ({ row, fate: row === last ? 'keep' : row.known === last.known ? copyFate(row, last) : 'quarantine' }))
  }
  // Only a row in the file that is written anew for the dataset can give its extra columns to it.
  const same = rows.findLast((row) => row.known === table.digest && row.file.name === table.file)
  return rows.map((row) => ({ row, fate: row === same ? 'extras' : row.known === table.digest ? copyFate(row, same) : 'quarantine' }))
}

interface TableRow {
  readonly digest: string
  /** Name of the file of its dataset. */
  readonly file: string
}

const rowsById = async (
  engine: Engine,
  files: readonly ExistingFile[],
  digests: ReadonlyMap<string, readonly RowDigests[]>,
): Promise<Map<string, There[]>> => {
  const byName = new Map(files.map((file) => [file.name, file]))
  const rows = await engine.rows(
    z.object({ file: z.string(), file_row: z.number(), prediction_id: z.string() }),
    "SELECT file, file_row, coalesce(prediction_id, '') AS prediction_id FROM memory.main.there ORDER BY file, file_row",
  )
  const byId = new Map<string, There[]>()
  for (const { file: name, file_row, prediction_id } of rows) {
    const file = byName.get(name)
    if (file === undefined) continue
    const there = { file, row: file_row, id: prediction_id, ...(digests.get(name)?.[file_row] ?? { known: '', extras: '' }) }
    byId.set(prediction_id, [...(byId.get(prediction_id) ?? []), there])
  }
  return byId
}

const tableDigests = async (engine: Engine, tables: SourceTables): Promise<Map<string, TableRow>> => {
  const found = new Map<string, TableRow>()
  const sql = tableRowsSql(tables, 'a.prediction_id IN (SELECT prediction_id FROM memory.main.there)')
  for await (const block of readBlocks(engine, sql)) {
    const ids = textsOf(columnOf(block, 'prediction_id'))
    const datasets = textsOf(columnOf(block, 'dataset_name'))
    rowDigests(block).forEach((digest, row) => {
      found.set(ids[row] ?? '', { digest, file: arrayFileName(datasets[row] ?? '') })
    })
  }
  return found
}

const knownIds = async (engine: Engine): Promise<Set<string>> => {
  const rows = await engine.rows(
    z.object({ prediction_id: z.string() }),
    `SELECT prediction_id FROM ${sourceTable('predictions')} WHERE prediction_id IN (SELECT prediction_id FROM memory.main.there)`,
  )
  return new Set(rows.map((row) => row.prediction_id))
}

const saveFates = async (engine: Engine, fates: readonly { row: There; fate: string }[]): Promise<void> => {
  for (let start = 0; start < fates.length; start += 5000) {
    const batch = fates.slice(start, start + 5000)
    const values = batch.map(({ row, fate }) => `(${quotedString(row.file.name)}, ${row.row}, ${quotedString(row.id)}, '${fate}')`)
    await engine.run(`INSERT INTO memory.main.fates VALUES ${values.join(', ')}`)
  }
}

// The shape follows from the arrays, and the library writes empty lists as null: neither makes two rows differ.
const rowDigests = (block: RowBlock): string[] => {
  const columns = block.filter(({ name }) => name !== 'y_proba_shape').map((column) => ({ column, offsets: offsetsOf(column) }))
  return Array.from({ length: rowsOf(block) }, (_, row) => {
    const hash = createHash('sha256')
    for (const { column, offsets } of columns) {
      const from = offsets[row] ?? 0
      const to = offsets[row + 1] ?? 0
      const isThere = column.valid[row] === 1 && (to > from || column.width === 1)
      hash.update(Uint32Array.of(isThere ? to - from : 0xffffffff))
      if (!isThere) continue
      hash.update(column.values.subarray(from * column.width, to * column.width))
      if (column.nulls !== null) hash.update(column.nulls.subarray(from, to))
    }
    return hash.digest('base64')
  })
}
