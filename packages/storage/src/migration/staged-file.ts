import { probaShapeSql } from '../arrays/proba-shape.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { arrayFileColumnNames, arrayFileColumns, type ExtraColumn, listColumns, selectOr } from './array-columns.ts'
import type { OpenRows } from './row-source.ts'
import { hasColumn, type SourceTables, sourceTable } from './source-tables.ts'
import { arraysTable } from './store-schema.ts'

/** A Parquet file to be written: what goes in, in which order, and where it ends up. */
export interface StagedFile {
  /** File name under arrays/, or `quarantine`. */
  readonly name: string
  readonly path: string
  /** Reads the rows, in whatever order is cheapest. */
  readonly openRows: OpenRows
  readonly rows: number
  readonly datasets: readonly string[]
  readonly columns: readonly ColumnForm[]
  readonly extras: readonly ExtraColumn[]
  /** File of this name that is there already. */
  readonly existing: boolean
}

/** Consecutive rows of the legacy table. */
export interface RowRange {
  readonly from: number
  readonly to: number
}

/** The known columns of the rows of the legacy table that have metadata; `where` narrows over a (arrays) and p (predictions). */
export const tableRowsSql = (tables: SourceTables, where: string, extras: readonly ExtraColumn[] = []): string => {
  const list = (column: (typeof listColumns)[number]) =>
    hasColumn(tables, arraysTable, column) ? `a.${column}::${arrayFileColumns[column]}` : `NULL::${arrayFileColumns[column]}`
  const expressions: Record<string, string> = {
    ...Object.fromEntries(arrayFileColumnNames.map((name) => [name, `p.${quotedIdentifier(name)}`])),
    ...Object.fromEntries(listColumns.map((column) => [column, list(column)])),
    y_proba_shape: probaShapeSql('NULL::INTEGER[]', list('y_proba'), list('y_true')),
  }
  const known = Object.entries(arrayFileColumns).map(([name, type]) => selectOr(true, `(${expressions[name]})`, name, type))
  const carried = extras.map(({ name, type }) => selectOr(hasColumn(tables, arraysTable, name), `a.${quotedIdentifier(name)}`, name, type))
  return `SELECT ${[...known, ...carried].join(', ')}
    FROM ${sourceTable(arraysTable)} a JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id WHERE ${where}`
}

export const datasetCondition = (datasets: readonly string[], range: RowRange | null): string => {
  const names = datasets.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')
  return `p.dataset_name IN (${names})${range === null ? '' : ` AND a.rowid BETWEEN ${range.from} AND ${range.to}`}`
}

/** Rows of the legacy table without metadata; what the table does not say is null. */
export const orphanRowsSql = (tables: SourceTables, extras: readonly ExtraColumn[] = []): string => {
  const expression = (name: string): string | null => {
    if (name === 'prediction_id') return 'a.prediction_id'
    return listColumns.some((column) => column === name) && hasColumn(tables, arraysTable, name) ? `a.${quotedIdentifier(name)}` : null
  }
  const known = Object.entries(arrayFileColumns).map(([name, type]) =>
    selectOr(expression(name) !== null, expression(name) ?? '', name, type),
  )
  const carried = extras.map(({ name, type }) => selectOr(hasColumn(tables, arraysTable, name), `a.${quotedIdentifier(name)}`, name, type))
  return `SELECT ${[...known, ...carried].join(', ')} FROM ${sourceTable(arraysTable)} a
    WHERE a.prediction_id IS NULL OR NOT EXISTS (SELECT 1 FROM ${sourceTable('predictions')} p WHERE p.prediction_id = a.prediction_id)`
}
