import type { ExportLayout } from '@nirs-workspace/types'
import { misfitSql } from '../arrays/fits-samples.ts'
import { probaShapeSql } from '../arrays/proba-shape.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import { columnOrNull, type ExportSource, extraColumns } from './export-sources.ts'

/** A column of an export and its DuckDB type. */
export interface ExportColumn {
  readonly name: string
  readonly type: string
}

/** What an export writes: a SELECT in the order of `joined`, and its columns. */
export interface ExportQuery {
  readonly sql: string
  readonly columns: readonly ExportColumn[]
}

const described: readonly ExportColumn[] = [
  { name: 'prediction_id', type: 'VARCHAR' },
  { name: 'dataset_name', type: 'VARCHAR' },
  { name: 'model_name', type: 'VARCHAR' },
  { name: 'fold_id', type: 'VARCHAR' },
  { name: 'partition', type: 'VARCHAR' },
  { name: 'metric', type: 'VARCHAR' },
  { name: 'val_score', type: 'DOUBLE' },
  { name: 'task_type', type: 'VARCHAR' },
]

const arrays: readonly ExportColumn[] = [
  { name: 'y_true', type: 'DOUBLE[]' },
  { name: 'y_pred', type: 'DOUBLE[]' },
  { name: 'y_proba', type: 'DOUBLE[]' },
  { name: 'y_proba_shape', type: 'INTEGER[]' },
  { name: 'sample_indices', type: 'INTEGER[]' },
  { name: 'weights', type: 'DOUBLE[]' },
]

/** The fourteen columns of a nirs4all array file, in its order. */
export const portableColumns: readonly ExportColumn[] = [...described, ...arrays]

const portableNames: ReadonlySet<string> = new Set([...portableColumns.map(({ name }) => name), 'file_row_number'])

export const exportQuery = (layout: ExportLayout, plan: string, sources: readonly ExportSource[]): ExportQuery =>
  layout === 'sample' ? sampleQuery(plan, sources) : predictionQuery(plan, sources)

/** One row per prediction: the fourteen columns, then those that later releases added. */
const predictionQuery = (plan: string, sources: readonly ExportSource[]): ExportQuery => {
  const extras = Array.from(extraColumns(sources, portableNames), ([name, type]): ExportColumn => ({ name, type }))
  return { sql: joined(plan, sources, extras), columns: [...portableColumns, ...extras] }
}

/**
 * Place by place, in each in the order in which its arrays lie there, at last the predictions without arrays in order of their ids: nothing
 * is sorted, so rows stream through whatever the size. The engine must not swap the sides of the joins (`streamingJoins`): the plan is what
 * is kept in memory, arrays pass by.
 */
const joined = (plan: string, sources: readonly ExportSource[], extras: readonly ExportColumn[]): string => {
  const metadata = described.map(({ name, type }) => `m.${name}::${type} AS ${name}`).join(', ')
  const withArrays = sources.map((source) => {
    const columns = [...arrays, ...extras].map(({ name, type }) => {
      if (name === 'y_proba_shape') return `${shapeOf(source)} AS y_proba_shape`
      return name === 'y_true' ? ownValues(source) : columnOrNull(source, name, type)
    })
    const place = source.place.replaceAll("'", "''")
    return `SELECT ${metadata}, ${columns.join(', ')} FROM ${source.relation} AS a JOIN ${plan} AS m ON ${source.join}
      WHERE m.array_source = '${place}' AND m.array_row IS NOT NULL`
  })
  const nothing = [...arrays, ...extras].map(({ name, type }) => `NULL::${type} AS ${quotedIdentifier(name)}`)
  return [...withArrays, `SELECT ${metadata}, ${nothing.join(', ')} FROM ${plan} AS m WHERE m.array_row IS NULL`].join('\nUNION ALL ')
}

/** y_true, and an error that names the prediction where the arrays of the row are not its own: `foreignIn` knows it again. */
const ownValues = (source: ExportSource): string => {
  const length = (name: string) => (source.columns.has(name) ? `len(a.${name})` : 'NULL::BIGINT')
  const lengths = { y_true: length('y_true'), y_pred: length('y_pred'), sample_indices: length('sample_indices') }
  const own = source.columns.has('y_true') ? 'a.y_true::DOUBLE[]' : 'NULL::DOUBLE[]'
  return `CASE WHEN ${misfitSql('m.n_samples', lengths)} THEN error(${quotedString(foreignMark(source))} || m.prediction_id) ELSE ${own} END AS y_true`
}

const foreignMark = ({ place }: ExportSource): string => `in ${place} not the arrays of `

/** The place and the id of a row that has stopped a query because its arrays are those of something else. */
export const foreignIn = (sources: readonly ExportSource[], message: string): { place: string; id: string } | null => {
  for (const source of sources) {
    const at = message.indexOf(foreignMark(source))
    if (at >= 0) return { place: source.place, id: message.slice(at + foreignMark(source).length) }
  }
  return null
}

/** The shape of y_proba: as stored, or worked out where an older store has only its length. */
export const shapeOf = (source: ExportSource): string => {
  const column = (name: string, type: string) => (source.columns.has(name) ? `a.${name}::${type}` : `NULL::${type}`)
  return probaShapeSql(column('y_proba_shape', 'INTEGER[]'), column('y_proba', 'DOUBLE[]'), column('y_true', 'DOUBLE[]'))
}

/** Keeps the sides of the joins of `joined`: otherwise the arrays may be what is kept in memory. */
export const probeArrays = "SET disabled_optimizers = 'join_order,build_side_probe_side'"

/** Settings of the engine under which the order of `joined` holds: with more threads, joins hand on rows as they come. */
export const streamingJoins = `SET threads = 1; ${probeArrays}`

const sampleColumns: readonly ExportColumn[] = [
  ...described.filter(({ name }) => name !== 'val_score'),
  { name: 'position', type: 'INTEGER' },
  { name: 'target', type: 'INTEGER' },
  { name: 'sample_index', type: 'INTEGER' },
  { name: 'y_true', type: 'DOUBLE' },
  { name: 'y_pred', type: 'DOUBLE' },
  { name: 'error', type: 'DOUBLE' },
]

/**
 * One row per value of y_true and y_pred: `position` counts from 0, `target` too where a sample has several measured values, `error` is
 * predicted − measured and null for classes. Of lists of different lengths each keeps its order; which of their values belong together, and
 * to which sample, nobody knows: there is neither error nor sample_index, and no target but 0. Predictions without arrays have no rows.
 */
const sampleQuery = (plan: string, sources: readonly ExportSource[]): ExportQuery => {
  const kept = described.filter(({ name }) => name !== 'val_score').map(({ name }) => name)
  const values = 'greatest(coalesce(len(y_true), 0), coalesce(len(y_pred), 0))'
  const apart = 'coalesce(nullif(len(y_true), 0) <> nullif(len(y_pred), 0), false)'
  const targets = `CASE WHEN NOT ${apart} AND len(sample_indices) > 0 AND ${values} % len(sample_indices) = 0 THEN greatest(${values} // len(sample_indices), 1) ELSE 1 END`
  const sql = `SELECT ${kept.join(', ')}, position::INTEGER AS position, (position % targets)::INTEGER AS target, sample_index, y_true, y_pred,
      CASE WHEN is_paired AND NOT contains(lower(task_type), 'classification') THEN y_pred - y_true END AS error
    FROM (SELECT ${kept.join(', ')}, targets, len(y_true) = len(y_pred) AS is_paired, unnest(range(count)) AS position, unnest(y_true) AS y_true, unnest(y_pred) AS y_pred,
        unnest(list_transform(range(count), lambda i: CASE WHEN NOT apart THEN sample_indices[i // targets + 1] END)) AS sample_index
      FROM (SELECT *, ${values} AS count, ${targets} AS targets, ${apart} AS apart FROM (${joined(plan, sources, [])})))`
  return { sql, columns: sampleColumns }
}
