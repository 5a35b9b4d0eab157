import { type Catalog, isStorageError } from '@nirs-workspace/storage'
import * as z from 'zod'
import type { Log } from '../log.ts'
import type { ArrayReaderProcess } from '../processes/array-reader-process.ts'
import { findDescribedPrediction } from './find-array-refs.ts'
import type { OpenedWorkspace } from './opened-workspace.ts'

/** Long enough for the questions of a page that has just been opened to be answered first. */
const quietMs = 500
/** Nothing to read, or no longer anybody to read for. */
const expected = ['arrays_missing', 'cancelled', 'catalog_building', 'store_locked'] as const

/**
 * When the first catalog is open and nobody has read arrays yet, reads those of one prediction, so that the first click on a row does not
 * wait for the reader to start and compile. Only from a Parquet file: a store is not opened unasked, as that would keep a writer out for
 * a moment; there the way to the reader and back is gone with empty hands.
 */
export class ReaderAhead {
  readonly #arrays: ArrayReaderProcess
  readonly #log: Log
  #done = false

  constructor(arrays: ArrayReaderProcess, log: Log) {
    this.#arrays = arrays
    this.#log = log
  }

  afterOpening(workspace: OpenedWorkspace): void {
    if (this.#done) return
    this.#done = true
    setTimeout(() => {
      this.#readOne(workspace).catch((error: unknown) => {
        if (!isStorageError(error, ...expected)) this.#log.error('arrays could not be read ahead', { error })
      })
    }, quietMs).unref()
  }

  async #readOne(workspace: OpenedWorkspace): Promise<void> {
    const found = await workspace.query(someArrays)
    if (found === undefined) return
    const { duckdb, bak, root, arrays } = workspace.resolved
    const { row, ref: seen } = found
    const isFile = seen.array_source !== null && seen.array_source !== 'table' && seen.array_source !== 'bak'
    const ref = { ...seen, array_source: isFile ? seen.array_source : null }
    for await (const _chunk of this.#arrays.read({ type: 'scatter', places: { root, duckdb, bak, arrays }, ref, row }));
  }
}

const Id = z.object({ prediction_id: z.string() })

const someArrays = async (catalog: Catalog) => {
  const [row] = await catalog.engine.rows(Id, 'SELECT prediction_id FROM catalog.predictions WHERE has_arrays LIMIT 1')
  return row === undefined ? undefined : findDescribedPrediction(catalog, row.prediction_id)
}
