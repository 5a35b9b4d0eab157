import type { ArrayRow } from '../arrays/array-source.ts'
import type { WorkspaceLock } from '../files/workspace-lock.ts'
import type { ArrayRecord, StoredRecord } from './array-record.ts'
import type { ArrayStats, CompactOptions, CompactReport, IntegrityOptions, IntegrityReport } from './array-reports.ts'
import type { ContextsOf } from './ask-contexts.ts'

export interface ArrayStoreOptions {
  /** Make the folder of the workspace with the first change if it is not there. Otherwise everything refuses a folder that is not there. */
  readonly create?: boolean | undefined
  /** The workspace lock, when the caller holds it. Otherwise every change takes it for its length. */
  readonly lock?: WorkspaceLock | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * Asked what the metadata knows of predictions when rows go, are replaced, or come from a file: branches, refits and times are no columns
   * of an array file, and without an answer its summary says that they are no longer exact (`context_exact`).
   */
  readonly contextsOf?: ContextsOf | undefined
}

export interface WriterOptions {
  /** Ends `add` and `close` with its reason; of several files, those that were added before stay. `abort` takes back the rest. */
  readonly signal?: AbortSignal | undefined
}

export interface CopyRowsOptions {
  /** Only these files of arrays/, by name: damage to the others does not matter. Default: all. */
  readonly files?: readonly string[] | undefined
}

/** Takes rows one by one; memory is bounded by a row group per dataset. Nothing is in the workspace before `close`. */
export interface ArrayWriter {
  add(record: ArrayRecord): Promise<void>
  /** Makes all rows durable, file by file; the number of rows that were new or had other values. */
  close(): Promise<number>
  /** Leaves the workspace as it was. */
  abort(): Promise<void>
}

/** What can be done with the arrays of a workspace. Rows are known by dataset_name and prediction_id; of several the last one counts. */
export interface ArrayOperations {
  /**
   * Durable when it returns; a crash leaves every file as it was or with all its rows. The number of rows written. Refused with
   * `validation` before anything is written: records without an id or the name of a dataset, what a column cannot hold, and a y_proba_shape
   * with negative or null numbers, whose product is not the length of y_proba, or which has several numbers of which the first does not
   * divide the length of y_true (several targets lie one after the other). Other lengths are not compared, so that what a workspace has can
   * be saved again as it is: y_true and y_pred of different lengths are refused by `WorkspaceStore` and named by `verifyWorkspace`.
   * A removed prediction that is saved is no longer removed. The removed rows that other datasets have of its id go for good: the list of
   * removed predictions is by id, and they would be back. While a file cannot be read that may have some, it is refused with `arrays_corrupt`.
   */
  saveBatch(records: readonly ArrayRecord[]): Promise<number>
  openWriter(options?: WriterOptions): ArrayWriter
  /** Removed predictions, and those without arrays, are left out. */
  loadBatch(ids: readonly string[], datasetName?: string): Promise<Map<string, ArrayRow>>
  loadSingle(id: string, datasetName?: string): Promise<ArrayRow | null>
  /** All rows that count, in the order of their file, with the columns of later releases. */
  loadDataset(name: string): AsyncGenerator<StoredRecord[]>
  /**
   * Marks as removed; the rows go with the next compaction. The number of predictions that had rows and were not removed yet. Without the
   * name of a dataset they are removed from every dataset; with one, an id that another dataset has too is refused with `validation`, and a
   * file of another dataset that cannot be read with `arrays_corrupt`: nothing is changed then. While a file cannot be read, each of the ids
   * may be in it, is marked, and counts.
   */
  deleteBatch(ids: ReadonlySet<string>, datasetName?: string): Promise<number>
  /** Takes `deleteBatch` back, while the rows are there. The number of predictions that are no longer removed. */
  restoreBatch(ids: ReadonlySet<string>): Promise<number>
  /**
   * Removes the rows of these predictions at once, from every dataset, with no mark and no way back. The number of rows. The error of a file
   * that cannot be read or written anew is thrown when the others are done.
   */
  dropArrays(ids: ReadonlySet<string>): Promise<number>
  /**
   * Removes the rows of one dataset at once; other datasets of the same file stay. With ids, only the rows of these predictions: those
   * without an id stay. False when there were none. The error of a file that cannot be read or written anew is thrown when the others are
   * done.
   */
  deleteDataset(name: string, ids?: ReadonlySet<string>): Promise<boolean>
  /** Takes away the rows that do not count any more, of one dataset or of all, with the file when there are no others. */
  compact(datasetName?: string, options?: CompactOptions): Promise<CompactReport>
  /** Writes the rows that count of these predictions into a new, sealed Parquet file anywhere. The number of rows. */
  copyRows(ids: ReadonlySet<string>, targetPath: string, options?: CopyRowsOptions): Promise<number>
  /** Adds all rows of such a file, or those of some predictions, as `saveBatch` would. */
  appendFile(path: string, ids?: ReadonlySet<string>): Promise<number>
  stats(): Promise<ArrayStats>
  integrityCheck(options?: IntegrityOptions): Promise<IntegrityReport>
  /** From the rows, not from the names of the files; sorted. */
  listDatasets(): Promise<string[]>
}
