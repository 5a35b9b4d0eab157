import type { PredictionDetail, PredictionRow, SqlResult, TopQuery } from '@nirs-workspace/types'
import { PredictionFilter } from '@nirs-workspace/types'
import type { Table } from 'apache-arrow'
import { ArrayReader } from '../arrays/array-reader.ts'
import { type ArrayRow, LoadChoice, type LoadOptions } from '../arrays/array-source.ts'
import { refuseUnsettledArrays } from '../arrays/unsettled-arrays.ts'
import { buildCatalog } from '../catalog/build-catalog.ts'
import type { CatalogOptions } from '../catalog/catalog-file.ts'
import { findCatalog } from '../catalog/find-catalog.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { checkGiven, checkTexts, parseGiven } from '../options/check-options.ts'
import { maybeText, optionsOf } from '../options/option-schemas.ts'
import type { QueryOptions } from '../predictions/catalog-reader.ts'
import { summarizeFilter } from '../predictions/filter-summary.ts'
import { getPrediction } from '../predictions/get.ts'
import { GivenFilter } from '../predictions/given-filter.ts'
import { TopRequest, topPredictions } from '../predictions/top.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { arrayRefs } from './array-refs.ts'
import { narrowFilter } from './narrow-filter.ts'
import { querySql, type SqlLimits } from './query-sql.ts'
import { type RowOptions, streamRows } from './stream-rows.ts'

export interface PredictionsOptions extends CatalogOptions {
  /** Only the predictions of this dataset. */
  readonly datasetName?: string | undefined
}

const OpenOptions = optionsOf<PredictionsOptions>({ cacheFolder: maybeText, datasetName: maybeText })

/** What all views of one opened workspace share. */
interface Opened {
  readonly resolved: ResolvedWorkspace
  readonly catalog: Catalog
  reader: Promise<ArrayReader> | null
  /** What is under way: the engine must not go while something asks it, which would end the process. */
  readonly running: Set<Promise<unknown>>
  closed: boolean
}

/**
 * The predictions of a workspace (its folder or its store) or of a lone Parquet file: browse, rank, filter, load arrays, ask in SQL. Reads
 * and never writes there; what it derives lies in the cache folder. Shows the state at the time of opening. Close it, or use `await using`.
 */
export class Predictions implements AsyncDisposable {
  readonly #opened: Opened
  readonly #filter: PredictionFilter

  private constructor(opened: Opened, filter: PredictionFilter) {
    this.#opened = opened
    this.#filter = filter
  }

  /** Opens a workspace folder, a `store.duckdb`, a `store.sqlite` or a `.parquet`. Throws what `resolveWorkspace` and `buildCatalog` throw. */
  static async open(path: string, options: PredictionsOptions = {}): Promise<Predictions> {
    checkGiven(OpenOptions, options)
    const resolved = await resolveWorkspace(path)
    const { fresh } = await findCatalog(resolved, options)
    const catalog = await openCatalog(fresh ?? (await buildCatalog(resolved, options)))
    const equals = options.datasetName === undefined ? {} : { dataset_name: [options.datasetName] }
    return new Predictions({ resolved, catalog, reader: null, running: new Set(), closed: false }, PredictionFilter.parse({ equals }))
  }

  /** As `open`. */
  static fromFile(path: string, options: PredictionsOptions = {}): Promise<Predictions> {
    return Predictions.open(path, options)
  }

  /** A lone Parquet file: arrays and the columns that it carries; scores by metric, parameters and lineage are not in it. */
  static async fromParquet(path: string, options: PredictionsOptions = {}): Promise<Predictions> {
    const resolved = await resolveWorkspace(path)
    if (resolved.parquet !== null) return Predictions.open(path, options)
    throw new StorageError('validation', `${path} is not a Parquet file. Nothing was changed.`, {
      path,
      hint: 'Open a workspace with `open`.',
    })
  }

  /** portable: Parquet files without a store. */
  get mode(): 'workspace' | 'portable' {
    return this.#opened.resolved.kind
  }

  /** How many predictions there are. */
  async count(options: QueryOptions = {}): Promise<number> {
    return (await this.#ask((catalog) => summarizeFilter(catalog, this.#filter, options))).total
  }

  /** A narrower view of the same predictions; closing either closes both. */
  filter(filter: Partial<PredictionFilter>): Predictions {
    return new Predictions(this.#opened, narrowFilter(this.#filter, parseGiven(GivenFilter, filter, { name: 'the filter' })))
  }

  /**
   * The n best rows (default 10) of every dataset and metric by validation score; metrics are never ranked together, refits only with
   * `fold_kind: 'refit'`, by test score. Throws `metric_direction_unknown` unless the direction is given.
   */
  async top(query: Partial<TopQuery> = {}, options: QueryOptions = {}): Promise<PredictionRow[]> {
    const request = parseGiven(TopRequest, query, { name: 'the query' })
    return this.#ask((catalog) => topPredictions(catalog, request, { ...options, filter: this.#filter }))
  }

  /** The best prediction, or null when none can be ranked. With several datasets or metrics there is none: `validation`. */
  async getBest(query: Partial<Omit<TopQuery, 'n'>> = {}, options: QueryOptions = {}): Promise<PredictionRow | null> {
    const [best, other] = await this.top({ ...query, n: 1 }, options)
    if (other === undefined) return best ?? null
    throw new StorageError('validation', 'There is a best prediction per dataset and metric, and here are several.', {
      hint: 'Name the dataset and the metric, or use `top` with n = 1.',
    })
  }

  /** One prediction with its decoded scores and parameters. Throws `prediction_not_found`. */
  async get(predictionId: string, options: QueryOptions = {}): Promise<PredictionDetail> {
    return this.#ask((catalog) => getPrediction(catalog, predictionId, options))
  }

  /** Every row, one by one; bounded memory whatever their number. Default order: by dataset, the newest first. */
  async *rows(options: RowOptions = {}): AsyncGenerator<PredictionRow> {
    yield* this.#unlessClosed(streamRows(this.#catalog(), this.#filter, options))
  }

  /** The rows as plain objects. */
  async toRows(options: RowOptions = {}): Promise<PredictionRow[]> {
    const rows: PredictionRow[] = []
    for await (const row of this.rows(options)) rows.push(row)
    return rows
  }

  /** The rows as an Arrow table. */
  async toArrow(options: RowOptions = {}): Promise<Table> {
    // Arrow is large, and few programs ask for it.
    const { predictionTable } = await import('./prediction-table.ts')
    return this.#ask((catalog) => predictionTable(catalog, this.#filter, options))
  }

  /** The arrays of these predictions (default: of all), in batches, read as they are asked for; those without arrays yield nothing. */
  async *arrays(ids?: readonly string[], options: LoadOptions = {}): AsyncGenerator<ArrayRow[]> {
    if (ids !== undefined) checkTexts('ids', ids)
    checkGiven(LoadChoice, options)
    if (ids !== undefined) await refuseUnsettledArrays(this.#opened.resolved.root, () => ids)
    for await (const refs of this.#unlessClosed(arrayRefs(this.#catalog(), this.#filter, ids, options))) {
      const reader = await this.#watch(this.#reader())
      this.#catalog()
      yield* this.#unlessClosed(reader.load(this.#opened.resolved, refs, options))
    }
  }

  /** The arrays of these predictions by prediction_id. For a few thousand; stream larger sets with `arrays`. */
  async loadArrays(ids: readonly string[], options: LoadOptions = {}): Promise<Map<string, ArrayRow>> {
    checkTexts('ids', ids)
    const found = new Map<string, ArrayRow>()
    for await (const rows of this.arrays(ids, options)) for (const row of rows) found.set(row.prediction_id, row)
    return found
  }

  /**
   * One reading SQL statement over runs, pipelines, chains, predictions, artifacts, logs, projects, chain_summary and samples (all of the
   * workspace, whatever this view is narrowed to), in a process of its own with bounds on time, memory and size. Throws `sql_not_allowed`,
   * `sql_multi`, `sql_error`, `sql_timeout`, `sql_memory`; of samples what `loadArrays` throws.
   */
  async query(sql: string, limits: SqlLimits = {}): Promise<SqlResult> {
    return this.#ask(({ file }) => querySql(file.path, sql, limits, this.#opened.resolved))
  }

  /** Waits for the calls that are under way. Any use after it throws `validation`; closing again does nothing. */
  async close(): Promise<void> {
    const { catalog, reader, running } = this.#opened
    if (this.#opened.closed) return
    this.#opened.closed = true
    this.#opened.reader = null
    try {
      while (running.size > 0) await Promise.allSettled(running)
      if (reader !== null) (await reader).close()
    } finally {
      catalog.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #catalog(): Catalog {
    if (this.#opened.closed) throw closed()
    return this.#opened.catalog
  }

  #ask<T>(work: (catalog: Catalog) => Promise<T>): Promise<T> {
    return this.#watch(work(this.#catalog()))
  }

  /** Closing waits for it; what fails because of the closing says so. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    const { running } = this.#opened
    running.add(work)
    try {
      return await work
    } catch (error) {
      throw this.#opened.closed && !isStorageError(error) ? closed(error) : error
    } finally {
      running.delete(work)
    }
  }

  /** As `#ask`, of what comes piece by piece; nothing more comes once it is closed. */
  async *#unlessClosed<T>(pieces: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      for (;;) {
        const { done, value } = await this.#watch(pieces.next())
        if (done === true) return
        this.#catalog()
        yield value
        this.#catalog()
      }
    } finally {
      await this.#watch(pieces.return(undefined))
    }
  }

  async #reader(): Promise<ArrayReader> {
    this.#opened.reader ??= ArrayReader.open()
    const opening = this.#opened.reader
    try {
      return await opening
    } catch (error) {
      // The next one who asks tries again.
      if (this.#opened.reader === opening) this.#opened.reader = null
      throw error
    }
  }
}

const closed = (cause?: unknown): StorageError =>
  new StorageError('validation', 'The predictions were closed. Nothing was changed.', { hint: 'Open the workspace again.' }, cause)
