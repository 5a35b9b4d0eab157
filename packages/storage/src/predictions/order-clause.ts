import type { PredictionColumn, SortKey } from '@nirs-workspace/types'
import { quotedIdentifier } from '../engine/attach-store.ts'

const realColumns: ReadonlySet<PredictionColumn> = new Set(['val_score', 'test_score', 'train_score', 'exclusion_rate'])

/** Columns that may hold NaN or infinities. */
export const hasNonFinite = (column: PredictionColumn): boolean => realColumns.has(column)

/** What the table shows when nobody has asked for an order. */
const defaultSort: readonly SortKey[] = [{ column: 'created_at', direction: 'desc' }]

/**
 * `ORDER BY …` for sort keys: finite values first in the wished direction, then non-finite ones, then nulls; ties by prediction_id, and
 * rows that share an id by their place in the catalog, so that every order is total. Rows of one time, of which SQLite has many, stay as
 * they lie there: the folds of a chain beside each other. `backwards` is the exact reverse.
 */
export const orderClause = (sort: readonly SortKey[], backwards = false): string => {
  const keys = sortKeysOf(sort)
  const ties = [...tiesOf(sort), 'rowid']
  const terms = [...keys.flatMap(sortTerms), ...ties.map((sql) => ({ sql, descending: false }))]
  return `ORDER BY ${terms.map((term) => `${term.sql} ${term.descending !== backwards ? 'DESC' : 'ASC'} ${nulls(backwards)}`).join(', ')}`
}

/** The columns besides those of the sort by which rows are told apart, their place in the catalog not counted. */
export const tiesOf = (sort: readonly SortKey[]): readonly PredictionColumn[] =>
  sortKeysOf(sort).at(-1)?.column === 'created_at' ? [] : ['prediction_id']

interface Term {
  sql: string
  descending: boolean
}

const nulls = (backwards: boolean) => (backwards ? 'NULLS FIRST' : 'NULLS LAST')

const sortTerms = ({ column, direction }: SortKey): Term[] => {
  const name = quotedIdentifier(column)
  const value = { sql: name, descending: direction === 'desc' }
  // Null stays null under isfinite, and nulls are last: the first term ranks finite, non-finite, null.
  return hasNonFinite(column) ? [{ sql: `NOT isfinite(${name})`, descending: false }, value] : [value]
}

/** The keys that count: the default when none is given; a column that comes again cannot change the order any more. */
export const sortKeysOf = (sort: readonly SortKey[]): readonly SortKey[] =>
  sort.length === 0 ? defaultSort : sort.filter((key, index) => sort.findIndex((other) => other.column === key.column) === index)
