import { join } from 'node:path'
import * as z from 'zod'
import { probaShapeSql } from '../arrays/proba-shape.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { arrayFileColumnNames, type ExtraColumn, formsWith } from './array-columns.ts'
import { type ExistingFile, existingRowsSql } from './existing-files.ts'
import { type OpenRows, openQueries } from './row-source.ts'
import { samplesSql } from './samples-column.ts'
import { sourceTable } from './source-tables.ts'
import { datasetCondition, orphanRowsSql, type RowRange, type StagedFile, tableRowsSql } from './staged-file.ts'
import type { Survey, SurveyedDataset } from './survey-store.ts'
import { readTableRows } from './table-rows.ts'

/** Which files a migration writes: one per file name of a dataset, and those existing ones of which a row changes. */
export const chooseFiles = async (engine: Engine, survey: Survey, staging: string): Promise<StagedFile[]> => {
  const kept = await keptRows(engine)
  const existing = new Map(survey.existing.files.map((file) => [file.name, file]))
  const targets = Map.groupBy(survey.datasets, (dataset) => dataset.file)
  const names = new Set([...targets.keys(), ...survey.existing.files.filter((file) => file.touched).map((file) => file.name)])
  return [...names].map((name) => {
    const datasets = targets.get(name) ?? []
    const file = existing.get(name)
    const extras = mergeExtras(survey.tableExtras, file?.extras ?? [])
    return {
      name,
      path: join(staging, name),
      openRows: rowsOf(survey, datasets, file, extras),
      rows: datasets.reduce((rows, dataset) => rows + dataset.rows, 0) + (kept.get(name) ?? 0),
      datasets: datasets.map((dataset) => dataset.name),
      columns: formsWith(extras),
      extras,
      existing: file !== undefined || survey.existing.corrupt.some((corrupt) => corrupt.name === name),
    }
  })
}

/** Rows that belong nowhere: without metadata, or different from the row that counts. Null when there are none. */
export const quarantineFile = (survey: Survey, path: string): StagedFile | null => {
  const rows = survey.orphanRows + survey.existing.quarantined
  if (rows === 0) return null
  const extras = survey.existing.files.reduce((all, file) => mergeExtras(all, file.extras), survey.tableExtras)
  const columns = formsWith(extras)
  const named = columns.map(({ name }) => quotedIdentifier(name)).join(', ')
  const parts = [
    `SELECT 'no metadata' AS reason, 'store.duckdb' AS origin, ${named} FROM (${orphanRowsSql(survey.tables, extras)})`,
    ...survey.existing.files.map(
      (file) => `SELECT 'differs from the row that counts' AS reason, ${quotedString(`arrays/${file.name}`)} AS origin,
        ${named} FROM (${rowsOfFate(file, 'quarantine', extras)})`,
    ),
  ]
  const sql = `SELECT reason, origin, ${named} FROM (${parts.join(' UNION ALL ')})`
  return {
    name: 'quarantine',
    path,
    openRows: (engine, signal) => openQueries(engine, [sql], signal),
    rows,
    datasets: [],
    columns: [...reasons, ...columns],
    extras,
    existing: false,
  }
}

const reasons: readonly ColumnForm[] = [
  { name: 'reason', type: 'VARCHAR' },
  { name: 'origin', type: 'VARCHAR' },
]

/** Side by side where nothing needs to be joined and the rows of the datasets lie in long stretches; else by a query. */
const rowsOf = (
  survey: Survey,
  datasets: readonly SurveyedDataset[],
  file: ExistingFile | undefined,
  extras: readonly ExtraColumn[],
): OpenRows => {
  const stretches = datasets.flatMap((dataset) => dataset.stretches ?? [])
  if (file === undefined && datasets.every((dataset) => dataset.stretches !== null)) {
    const names = datasets.map((dataset) => dataset.name)
    return readTableRows(
      survey.tables,
      names,
      stretches.toSorted((a, b) => a.from - b.from),
      extras,
    )
  }
  const sql = fileSql(survey, datasets, file, extras)
  return (engine, signal) => openQueries(engine, [sql], signal)
}

const fileSql = (
  survey: Survey,
  datasets: readonly SurveyedDataset[],
  file: ExistingFile | undefined,
  extras: readonly ExtraColumn[],
): string => {
  const columns = [...arrayFileColumnNames, ...extras.map((extra) => extra.name)].map(quotedIdentifier).join(', ')
  const own = [...arrayFileColumnNames, ...extras.map((extra) => extra.name)].map((name) => `r.${quotedIdentifier(name)}`).join(', ')
  const parts: string[] = []
  if (datasets.length > 0) parts.push(tableRows(survey, datasets, file, extras))
  if (file !== undefined) parts.push(`SELECT ${columns} FROM (${withShape(rowsOfFate(file, 'keep', extras))})`)
  const samples = samplesSql(survey.tables)
  return `SELECT ${own}, ${samples} FROM (${parts.join(' UNION ALL ')}) r
    LEFT JOIN ${sourceTable('predictions')} p ON p.prediction_id = r.prediction_id`
}

const tableRows = (
  survey: Survey,
  datasets: readonly SurveyedDataset[],
  file: ExistingFile | undefined,
  extras: readonly ExtraColumn[],
): string => {
  const names = datasets.map((dataset) => dataset.name)
  const rows = tableRowsSql(survey.tables, datasetCondition(names, rangeOf(datasets)), extras)
  const fromFile = extras.filter((extra) => file?.extras.some((one) => one.name === extra.name))
  if (file === undefined || fromFile.length === 0) return rows
  const columns = [
    ...arrayFileColumnNames.map((name) => `t.${quotedIdentifier(name)}`),
    ...extras.map(({ name }) => {
      const quoted = quotedIdentifier(name)
      return fromFile.some((one) => one.name === name) ? `coalesce(t.${quoted}, e.${quoted}) AS ${quoted}` : `t.${quoted}`
    }),
  ]
  return `SELECT ${columns.join(', ')} FROM (${rows}) t LEFT JOIN (${rowsOfFate(file, 'extras', extras)}) e ON e.prediction_id = t.prediction_id`
}

const rowsOfFate = (file: ExistingFile, fate: string, extras: readonly ExtraColumn[]): string =>
  `SELECT rows.*, fates.file_row FROM (${existingRowsSql(file.parquet, extras).replace('SELECT ', 'SELECT r.file_row_number, ')}) rows
   JOIN memory.main.fates fates ON fates.file_row = rows.file_row_number AND fates.file = ${quotedString(file.name)} AND fates.fate = '${fate}'`

/** Rows that an earlier conversion wrote have a flat shape; it follows from the lengths. */
const withShape = (sql: string): string =>
  `SELECT * REPLACE (${probaShapeSql('y_proba_shape', 'y_proba', 'y_true')} AS y_proba_shape) FROM (${sql})`

const rangeOf = (datasets: readonly SurveyedDataset[]): RowRange => ({
  from: Math.min(...datasets.map(({ range }) => range.from)),
  to: Math.max(...datasets.map(({ range }) => range.to)),
})

const mergeExtras = (a: readonly ExtraColumn[], b: readonly ExtraColumn[]): ExtraColumn[] => [
  ...a,
  ...b.filter(({ name }) => !a.some((extra) => extra.name === name)),
]

const keptRows = async (engine: Engine): Promise<Map<string, number>> => {
  const rows = await engine.rows(
    z.object({ file: z.string(), rows: z.number() }),
    "SELECT file, count(*) AS rows FROM memory.main.fates WHERE fate = 'keep' GROUP BY file",
  )
  return new Map(rows.map(({ file, rows }) => [file, rows]))
}
