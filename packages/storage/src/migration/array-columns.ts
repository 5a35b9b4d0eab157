import { quotedIdentifier } from '../engine/attach-store.ts'
import { type ColumnForm, isColumnType } from '../parquet/column-form.ts'

/** The columns of an array file, in the order in which nirs4all 0.8 writes them, with DuckDB's types. */
export const arrayFileColumns = {
  prediction_id: 'VARCHAR',
  dataset_name: 'VARCHAR',
  model_name: 'VARCHAR',
  fold_id: 'VARCHAR',
  partition: 'VARCHAR',
  metric: 'VARCHAR',
  val_score: 'DOUBLE',
  task_type: 'VARCHAR',
  y_true: 'DOUBLE[]',
  y_pred: 'DOUBLE[]',
  y_proba: 'DOUBLE[]',
  y_proba_shape: 'INTEGER[]',
  sample_indices: 'INTEGER[]',
  weights: 'DOUBLE[]',
} as const

export type ArrayFileColumn = keyof typeof arrayFileColumns
export const arrayFileColumnNames: readonly string[] = Object.keys(arrayFileColumns)
export const isArrayFileColumn = (name: string): name is ArrayFileColumn => Object.hasOwn(arrayFileColumns, name.toLowerCase())

/** The lists of the legacy table. */
export const listColumns = ['y_true', 'y_pred', 'y_proba', 'sample_indices', 'weights'] as const

/** Types of the legacy table that become a list of an array file without a bit lost. */
export const losslessTypes = (column: (typeof listColumns)[number]): readonly string[] =>
  column === 'sample_indices'
    ? ['INTEGER[]', 'SMALLINT[]', 'TINYINT[]', 'USMALLINT[]', 'UTINYINT[]']
    : ['DOUBLE[]', 'FLOAT[]', 'INTEGER[]', 'SMALLINT[]', 'TINYINT[]', 'UINTEGER[]', 'USMALLINT[]', 'UTINYINT[]']

/** A column of a later release or another program, carried along beside the known ones. */
export interface ExtraColumn {
  readonly name: string
  readonly type: string
}

export const canCarry = ({ type }: ExtraColumn): boolean => isColumnType(type)

/** The columns of an array file with these extra ones behind the known ones. */
export const formsWith = (extras: readonly ExtraColumn[]): ColumnForm[] => [
  ...Object.entries(arrayFileColumns).map(([name, type]) => ({ name, type })),
  ...extras.map(({ name, type }) => {
    if (!isColumnType(type)) throw new Error(`A column of type ${type} cannot be carried.`)
    return { name, type }
  }),
]

/** `expression AS name`, or a typed NULL where the source has no such column. */
export const selectOr = (present: boolean, expression: string, name: string, type: string): string =>
  `${present ? `${expression}::${type}` : `NULL::${type}`} AS ${quotedIdentifier(name)}`
