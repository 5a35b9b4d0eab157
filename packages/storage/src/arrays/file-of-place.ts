/** The file that a place of the catalog names: 'table', 'bak' or the path of a Parquet file. */
export const fileOfPlace = (place: string): string => (place === 'table' ? 'store.duckdb' : place === 'bak' ? 'store.duckdb.bak' : place)
