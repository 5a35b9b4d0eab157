/** What a path turned out to be: plain data, made by looking at names and kinds of files only. All paths are absolute and real. */
export interface ResolvedWorkspace {
  /** The workspace folder; for a lone Parquet file the folder it lies in. */
  readonly root: string
  readonly name: string
  /** portable: no store, only Parquet files. */
  readonly kind: 'workspace' | 'portable'
  readonly duckdb: string | null
  readonly sqlite: string | null
  /** `store.duckdb.bak`, which nirs4all 0.8.4 and later leave behind when they move the metadata to `store.sqlite`. */
  readonly bak: string | null
  /** The folder of the array files, whether it exists or not. */
  readonly arrays: string
  /** The file itself when a lone Parquet file was opened. */
  readonly parquet: string | null
}
