import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { readFooter } from '../parquet/footer.ts'
import { formsWith, listColumns } from './array-columns.ts'
import { arraysIn, estimateFiles, type RowsAndBytes } from './estimate-files.ts'
import { type OpenRows, openQueries } from './row-source.ts'
import { hasColumn, type SourceTables, sourceAlias, sourceTable } from './source-tables.ts'
import { defaultRowGroup, stageFile } from './stage-file.ts'
import { type RowRange, tableRowsSql } from './staged-file.ts'
import { arraysTable } from './store-schema.ts'
import type { SurveyedDataset } from './survey-store.ts'

export interface ArraySizes {
  /** Rows of a dataset that were looked at, their values and the bytes of those in memory. */
  readonly datasets: ReadonlyMap<string, MeasuredRows>
  /** Of all rows, those that were not looked at included. */
  readonly values: number
  readonly bytes: number
  /** Bytes of the store's blocks that hold the arrays. */
  readonly tableBytes: number
  /** Bytes of the blocks that hold anything else; freed ones do not count, as a new store has none. */
  readonly otherBytes: number
  /** Rows of the table for each that was looked at. */
  readonly scale: number
}

export interface MeasuredRows {
  readonly rows: number
  readonly values: number
  readonly bytes: number
}

/** Sizes over all of the `rows` of the table, exactly; or, where only the order of magnitude counts, from these stretches of it. */
export const measureArrays = async (
  engine: Engine,
  tables: SourceTables,
  rows: number,
  stretches: readonly RowRange[] | 'all',
): Promise<ArraySizes> => {
  const { values, bytes } = sizesSql(tables)
  // One query per stretch: of several ranges at once DuckDB reads the whole table.
  const ranges = stretches === 'all' ? ['true'] : stretches.map(({ from, to }) => `a.rowid BETWEEN ${from} AND ${to}`)
  const parts = ranges.map(
    (range) => `SELECT prediction_id, ${values} AS values, ${bytes} AS bytes FROM ${sourceTable(arraysTable)} a WHERE ${range}`,
  )
  const measured = await engine.rows(
    z.object({ name: z.string(), rows: z.number(), values: z.number(), bytes: z.number() }),
    `SELECT p.dataset_name AS name, count(*) AS rows, sum(values)::BIGINT AS values, sum(bytes)::BIGINT AS bytes
     FROM (${parts.join(' UNION ALL ')}) a JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id GROUP BY ALL`,
  )
  const { table_bytes, used_bytes } = await engine.one(
    z.object({ table_bytes: z.number(), used_bytes: z.number() }),
    `SELECT (SELECT count(DISTINCT block_id) FROM pragma_storage_info('${sourceAlias}.main.${arraysTable}') WHERE persistent) * block_size AS table_bytes,
       used_blocks * block_size AS used_bytes FROM pragma_database_size() WHERE database_name = '${sourceAlias}'`,
  )
  const total = (figure: (row: MeasuredRows) => number) => measured.reduce((sum, row) => sum + figure(row), 0)
  const seen = total((row) => row.rows)
  const scale = stretches === 'all' || seen === 0 ? 1 : rows / seen
  return {
    datasets: new Map(measured.map(({ name, ...sizes }) => [name, sizes])),
    values: Math.round(scale * total((row) => row.values)),
    bytes: Math.round(scale * total((row) => row.bytes)),
    tableBytes: table_bytes,
    otherBytes: Math.max(0, used_bytes - table_bytes),
    scale,
  }
}

/** Number of elements of a row's arrays and their bytes in memory, as expressions over the legacy table as `a`. */
export const sizesSql = (tables: SourceTables): { values: string; bytes: string } => {
  const present = listColumns.filter((column) => hasColumn(tables, arraysTable, column))
  const length = (column: string) => `coalesce(len(a.${column}), 0)`
  return {
    values: present.map(length).join(' + ') || '0',
    bytes: present.map((column) => `${length(column)} * ${column === 'sample_indices' ? 4 : 8}`).join(' + ') || '0',
  }
}

const stretchRows = 256

/** Some stretches over a table of so many rows; all of it when that is not much more. */
export const spreadStretches = (rows: number): readonly RowRange[] | 'all' =>
  rows < 64 * stretchRows ? 'all' : Array.from({ length: 12 }, (_, index) => stretchFrom(Math.floor((index * (rows - stretchRows)) / 11)))

/** As `spreadStretches`, but with a look at every dataset where there are not too many: they differ in the length of their arrays. */
export const stretchesByDataset = (datasets: readonly SurveyedDataset[], rows: number): readonly RowRange[] | 'all' => {
  const spread = spreadStretches(rows)
  // DuckDB decodes 2 048 rows to give some of them: at most a quarter of the table.
  if (spread === 'all' || datasets.length > rows / 8192) return spread
  return datasets.map(({ range, stretches }) => longest(range, stretches ?? [])).map(({ from, to }) => stretchFrom(from, to))
}

const stretchFrom = (from: number, to = Number.POSITIVE_INFINITY): RowRange => ({ from, to: Math.min(to, from + stretchRows - 1) })

/** Of a dataset that lies scattered, its part of the table. */
const longest = (range: RowRange, stretches: readonly RowRange[]): RowRange =>
  stretches.reduce((best, one) => (one.to - one.from > best.to - best.from ? one : best), stretches[0] ?? range)

export interface Sample {
  /** Bytes of Parquet per byte of arrays, without what a file has beside them. */
  readonly ratio: number
  readonly bytesPerSecond: number
}

const smallestRate = 20e6

/** As if nothing could be compressed. */
export const uncompressed: Sample = { ratio: 1, bytesPerSecond: smallestRate }

const samples = 6
const sampleRows = 192

/** Evenly over the table, so that every dataset counts for about its share: some compress much better than others. */
const sampleRanges = (rows: number): RowRange[] => {
  if (rows <= samples * sampleRows) return [{ from: 0, to: rows }]
  return Array.from({ length: samples }, (_, index) => {
    const from = Math.floor((index * (rows - sampleRows)) / (samples - 1))
    return { from, to: from + sampleRows - 1 }
  })
}

/** Writes some rows to a file in the system's temporary folder, to learn how well and how fast they compress here. */
export const measureSample = async (engine: Engine, tables: SourceTables, sizes: ArraySizes, rows: number): Promise<Sample> => {
  if (rows === 0 || sizes.bytes === 0) return uncompressed
  const ranges = sampleRanges(rows).map(({ from, to }) => `a.rowid BETWEEN ${from} AND ${to}`)
  const bytes = await arrayBytes(engine, tables, ranges)
  if (bytes === 0) return uncompressed
  const folder = await mkdtemp(join(tmpdir(), 'nirs-workspace-sample-'))
  try {
    const path = join(folder, 'sample.parquet')
    const queries = ranges.map((range) => tableRowsSql(tables, range))
    const openRows: OpenRows = (from, signal) => openQueries(from, queries, signal)
    const started = performance.now()
    const { rows: copied } = await stageFile(
      engine,
      { name: 'sample', path, openRows, rows: 0, datasets: [], columns: formsWith([]), extras: [], existing: false },
      { rowGroup: defaultRowGroup },
    )
    const seconds = (performance.now() - started) / 1000
    // What a file costs beside its arrays is not in proportion to them.
    return { ratio: arraysIn((await readFooter(path)).start, copied) / bytes, bytesPerSecond: Math.max(smallestRate, bytes / seconds) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const arrayBytes = async (engine: Engine, tables: SourceTables, ranges: readonly string[]): Promise<number> => {
  const parts = ranges.map(
    (range) => `SELECT ${sizesSql(tables).bytes} AS bytes
      FROM ${sourceTable(arraysTable)} a JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id WHERE ${range}`,
  )
  const { bytes } = await engine.one(
    z.object({ bytes: z.number() }),
    `SELECT coalesce(sum(bytes), 0)::BIGINT AS bytes FROM (${parts.join(' UNION ALL ')})`,
  )
  return bytes
}

export interface Space {
  /** Of `parquet`, by dataset. */
  readonly datasets: ReadonlyMap<string, number>
  readonly parquet: number
  readonly store: number
  readonly needed: number
  readonly available: number
}

const margin = 8 * 1024 * 1024
/** Three of them, before the first block of a store. */
const storeHeaders = 3 * 4096

/** As if all rows had been looked at. */
const allRows = ({ datasets, scale }: ArraySizes): ReadonlyMap<string, RowsAndBytes> =>
  new Map([...datasets].map(([name, { rows, bytes }]) => [name, { rows: Math.round(scale * rows), bytes: scale * bytes }]))

/** What a migration needs on the disk beside what is there, and what is free. `others`: bytes of what does not come from the table. */
export const measureSpace = async (root: string, sizes: ArraySizes, sample: Sample, others = 0): Promise<Space> => {
  const datasets = estimateFiles(allRows(sizes), sample.ratio)
  const parquet = [...datasets.values()].reduce((sum, bytes) => sum + bytes, 0)
  const store = storeHeaders + sizes.otherBytes
  const { bavail, bsize } = await statfs(root)
  return { datasets, parquet, store, needed: Math.ceil(parquet * 1.1 + store * 1.2 + others) + margin, available: bavail * bsize }
}

/** Writing, reading back and comparing overlap on two cores; rebuilding the metadata comes on top. */
export const estimateSeconds = (bytes: number, storeBytes: number, bytesPerSecond: number): number =>
  Math.round((0.5 + (2.5 * bytes) / bytesPerSecond + storeBytes / 200e6) * 10) / 10
