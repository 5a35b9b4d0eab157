import type { AttachedStore } from './store-facts.ts'

/**
 * The releases of nirs4all whose schema this is, from the stamps and columns that each release added; null when it is none of them.
 * A store that this program migrated has the schema of 0.8.1; what it was before is in the proof.
 */
export const writtenBy = (store: Pick<AttachedStore, 'tables' | 'sqlite'>): string | null => {
  if (!store.tables.has('predictions')) return null
  return store.sqlite === null ? ofDuckdb(store) : ofSqlite(store, store.sqlite)
}

const has = (store: Pick<AttachedStore, 'tables'>, table: string, column: string): boolean => store.tables.get(table)?.has(column) === true

const ofDuckdb = (store: Pick<AttachedStore, 'tables'>): string => {
  if (!has(store, 'predictions', 'refit_context')) return '0.7.0'
  return has(store, 'chains', 'cv_val_score') && store.tables.has('projects') ? '0.8.0-0.8.3' : '0.7.1'
}

const ofSqlite = (
  store: Pick<AttachedStore, 'tables'>,
  { userVersion, chainView }: { userVersion: number; chainView: string | null },
): string | null => {
  if (userVersion > 5) return null
  if (userVersion > 2) return '0.11.0+'
  if (userVersion === 2) return '0.10.0-0.11.0'
  if (userVersion === 1) return '0.9.2-0.9.4'
  if (!has(store, 'chains', 'final_agg_test_score')) return '0.8.4-0.8.9'
  return chainView !== null && /\bexists\b/i.test(chainView) ? '0.9.0-0.9.1' : '0.8.10-0.8.11'
}
