import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { LEADERS, type RankedTable } from './ranking.ts'

/** Where the best of whole groups (dataset, metric, kind of fold) are found: among a hundredth of the rows of a large workspace. */
export const leadersOrAll = async (catalog: CatalogReader, options: QueryOptions): Promise<RankedTable> => {
  const isThere = withLeaders.get(catalog) ?? (await hasLeaders(catalog, options))
  withLeaders.set(catalog, isThere)
  return isThere ? LEADERS : PREDICTIONS
}

/** A catalog is never changed. */
const withLeaders = new WeakMap<CatalogReader, boolean>()

const hasLeaders = async (catalog: CatalogReader, options: QueryOptions): Promise<boolean> => {
  const sql = `SELECT EXISTS (FROM ${LEADERS})`
  return (await readRows(catalog, { sql, parameters: {} }, (value) => value(0) === true, options))[0] === true
}
