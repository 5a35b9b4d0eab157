import { probaShape } from '../arrays/proba-shape.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { bytesOf, type ColumnBlock, columnOf, type RowBlock, rowsOf, sameColumn } from '../parquet/column-block.ts'
import { arrayFileColumnNames, arrayFileColumns, type ExtraColumn, listColumns, selectOr } from './array-columns.ts'
import { type OpenRows, openQueries, type QueryRows, type RowSource } from './row-source.ts'
import { samplesColumn, samplesSql } from './samples-column.ts'
import { hasColumn, type SourceTables, sourceTable } from './source-tables.ts'
import type { RowRange } from './staged-file.ts'
import { arraysTable } from './store-schema.ts'

/**
 * The rows of some datasets in the order of the legacy table: arrays and metadata are read side by side instead of joined, which would
 * copy every array. `stretches` are the places of their rows in the table, ascending, with nothing else between.
 */
export const readTableRows =
  (tables: SourceTables, datasets: readonly string[], stretches: readonly RowRange[], extras: readonly ExtraColumn[]): OpenRows =>
  async (engine: Engine, signal: AbortSignal | undefined) => {
    const arrays = await openQueries(
      engine,
      stretches.map((stretch) => arraysSql(tables, stretch, extras)),
      signal,
    )
    try {
      return new SideBySide(arrays, await openQueries(engine, [metadataSql(tables, datasets)], signal), datasets, extras)
    } catch (error) {
      await arrays.close()
      throw error
    }
  }

class SideBySide implements RowSource {
  readonly #arrays: RowSource
  readonly #metadata: QueryRows
  /** The name of the only dataset: its bytes need not be fetched with every row. */
  readonly #dataset: string | null
  readonly #names: readonly string[]

  constructor(arrays: RowSource, metadata: QueryRows, datasets: readonly string[], extras: readonly ExtraColumn[]) {
    this.#arrays = arrays
    this.#metadata = metadata
    this.#dataset = onlyName(datasets)
    this.#names = [...arrayFileColumnNames, ...extras.map(({ name }) => name), samplesColumn]
  }

  async takeAbout(rows: number, bytes: number): Promise<RowBlock> {
    const arrays = await this.#arrays.takeAbout(rows, bytes)
    const metadata = await this.#metadata.take(Math.max(1, rowsOf(arrays)))
    if (rowsOf(arrays) === 0 && rowsOf(metadata) === 0) return []
    if (rowsOf(arrays) === 0 || !sameColumn(columnOf(arrays, place), columnOf(metadata, place))) throw notAligned()
    const shape = probaShapes(columnOf(arrays, 'y_proba'), columnOf(arrays, 'y_true'))
    const dataset = this.#dataset === null ? [] : [sameText('dataset_name', this.#dataset, rowsOf(arrays))]
    const columns = new Map([...dataset, ...metadata, ...arrays, shape].map((column) => [column.name, column]))
    return this.#names.flatMap((name) => columns.get(name) ?? [])
  }

  async close(): Promise<void> {
    await this.#arrays.close()
    await this.#metadata.close()
  }
}

const arraysSql = (tables: SourceTables, { from, to }: RowRange, extras: readonly ExtraColumn[]): string => {
  const lists = listColumns.map((name) =>
    selectOr(hasColumn(tables, arraysTable, name), quotedIdentifier(name), name, arrayFileColumns[name]),
  )
  const carried = extras.map(({ name, type }) => selectOr(hasColumn(tables, arraysTable, name), quotedIdentifier(name), name, type))
  return `SELECT rowid::DOUBLE AS ${place}, prediction_id, ${[...lists, ...carried].join(', ')} FROM ${sourceTable(arraysTable)}
    WHERE rowid BETWEEN ${from} AND ${to}`
}

const metadataSql = (tables: SourceTables, datasets: readonly string[]): string => {
  const known = ['prediction_id', ...(onlyName(datasets) === null ? [] : ['dataset_name'])]
  const scalars = Object.entries(arrayFileColumns).filter(([name, type]) => !known.includes(name) && !type.endsWith('[]'))
  const columns = scalars.map(([name, type]) => selectOr(true, `p.${quotedIdentifier(name)}`, name, type))
  return `SELECT a.place::DOUBLE AS ${place}, ${[...columns, samplesSql(tables)].join(', ')}
    FROM (SELECT rowid AS place, prediction_id FROM ${sourceTable(arraysTable)}) a
    JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id
    WHERE p.dataset_name IN (${datasets.map(quotedString).join(', ')}) ORDER BY a.place`
}

/** Column with the row number in the legacy table, by which both sides are compared; not written. */
const place = 'nirs_workspace_place'

const onlyName = (datasets: readonly string[]): string | null => (datasets.length === 1 ? (datasets[0] ?? null) : null)

/** A text column with the same value in every row. */
const sameText = (name: string, text: string, rows: number): ColumnBlock => {
  const one = Buffer.from(text)
  const values = Buffer.alloc(one.length * rows, one)
  return { name, width: 1, rows, valid: new Uint8Array(rows).fill(1), lengths: new Uint32Array(rows).fill(one.length), values, nulls: null }
}

/** Shapes of y_proba for a table that has none, from the lengths. */
const probaShapes = (proba: ColumnBlock, measured: ColumnBlock): ColumnBlock => {
  const length = (column: ColumnBlock, row: number) => (column.valid[row] === 1 ? (column.lengths?.[row] ?? 0) : null)
  const shapes = Array.from({ length: proba.rows }, (_, row) => probaShape(null, length(proba, row), length(measured, row)))
  return {
    name: 'y_proba_shape',
    width: 4,
    rows: shapes.length,
    valid: Uint8Array.from(shapes, (shape) => (shape === null ? 0 : 1)),
    lengths: Uint32Array.from(shapes, (shape) => shape?.length ?? 0),
    values: bytesOf(Int32Array.from(shapes.flatMap((shape) => shape ?? []))),
    nulls: null,
  }
}

const notAligned = () =>
  new StorageError('verification_failed', 'The arrays and the metadata of the store came in different orders. The original is untouched.', {
    hint: 'Run the migration again; if it fails again, keep the store and the report.',
  })
