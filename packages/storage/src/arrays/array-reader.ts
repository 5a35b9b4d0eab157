import { Engine, type EngineOptions } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import type { ArrayRow, ArraySource, LoadOptions } from './array-source.ts'
import { AttachedStores } from './attached-stores.ts'
import { CheckedFiles } from './checked-files.ts'
import { fitsSamples, foreignArrays, lengthsOf } from './fits-samples.ts'
import { layeredSource } from './layered-source.ts'
import { mergeOrdered } from './merge-ordered.ts'
import { parquetSource } from './parquet-source.ts'
import { refuseResaved } from './refuse-resaved.ts'
import { tableSource } from './table-source.ts'
import { readTombstonesIfSound } from './tombstones.ts'
import { refuseUnsettledArrays } from './unsettled-arrays.ts'

/** The places of a resolved workspace that arrays can lie in; absolute paths. */
export interface ArrayPlaces {
  readonly root: string
  readonly duckdb: string | null
  readonly bak: string | null
  readonly arrays: string | null
}

/** A prediction and where the catalog saw its arrays: 'table', 'bak', a path relative to the root, or null for none. */
export interface ArrayRef {
  readonly prediction_id: string
  readonly array_source: string | null
  /** As the store has it: arrays of another length are refused. Null or left out where it does not say. */
  readonly n_samples?: number | null | undefined
  /** What the catalog has beside the arrays, and how large their file was then: arrays of another save are refused. Left out where nobody knows. */
  readonly val_score?: number | null | undefined
  readonly file_bytes?: number | null | undefined
}

/**
 * Reads arrays of any workspace. Keeps an engine warm and what it has compared of files, nothing else: no store stays attached and no file open between two reads.
 * One reader per process: two engines of one process must never attach the same store.
 */
export class ArrayReader {
  readonly engine: Engine
  readonly #stores: AttachedStores
  readonly #checks = new CheckedFiles()

  private constructor(engine: Engine) {
    this.engine = engine
    this.#stores = new AttachedStores(engine)
  }

  static async open(options: EngineOptions = {}): Promise<ArrayReader> {
    return new ArrayReader(await Engine.open(options))
  }

  /**
   * Batches of rows, grouped by where they lie; predictions without arrays, or removed ones, yield nothing. A damaged list of removed
   * predictions does not stop a read: the caller's ids come from the metadata, which no longer knows removed ones. Arrays that do not fit
   * the `n_samples` of their reference are those of something else: `arrays_corrupt`, as any other damage. While a save of one of the
   * predictions has not ended, nobody knows whose arrays there are, and of one that was saved again since, that they are those of other scores:
   * `interrupted`.
   */
  async *load(places: ArrayPlaces, refs: readonly ArrayRef[], options: LoadOptions = {}): AsyncGenerator<ArrayRow[]> {
    const tombstones = await readTombstonesIfSound(places.arrays)
    const samples = samplesOf(refs)
    const known = new Map(refs.map((ref) => [ref.prediction_id, ref]))
    await refuseUnsettledArrays(places.root, () => idsOutside(refs))
    for (const [place, ids] of groupBySource(refs, tombstones)) {
      for await (const rows of this.source(places, place).load(ids, options)) {
        refuseForeign(place, rows, samples)
        await this.#refuseOtherSaves(places, place, idsOf(rows), known)
        yield rows
      }
    }
  }

  /** As `load`, row by row in order of the UTF-8 bytes of prediction_id, each strictly from where the catalog saw it. */
  async *loadOrdered(places: ArrayPlaces, refs: readonly ArrayRef[], options: LoadOptions = {}): AsyncGenerator<ArrayRow> {
    const tombstones = await readTombstonesIfSound(places.arrays)
    const groups = [...groupBySource(refs, tombstones)]
    await refuseUnsettledArrays(places.root, () => idsOutside(refs))
    const known = new Map(refs.map((ref) => [ref.prediction_id, ref]))
    let isFirst = true
    for await (const row of mergeOrdered(
      groups.map(([place, ids]) => this.#single(places, place).load(ids, { ...options, ordered: true })),
    )) {
      // By then every file is open.
      if (isFirst) for (const [place, ids] of groups) await this.#refuseOtherSaves(places, place, ids, known)
      isFirst = false
      yield row
    }
  }

  /** The arrays of one prediction; null when it has none. */
  async loadOne(places: ArrayPlaces, ref: ArrayRef, options: LoadOptions = {}): Promise<ArrayRow | null> {
    let found: ArrayRow | null = null
    for await (const rows of this.load(places, [ref], options)) found = rows.at(-1) ?? found
    return found
  }

  /** Asked when the arrays of these predictions are read, or their file is open at least. */
  async #refuseOtherSaves(
    { root }: ArrayPlaces,
    place: string,
    ids: readonly string[],
    known: ReadonlyMap<string, ArrayRef>,
  ): Promise<void> {
    if (isDatabase(place)) return
    await refuseUnsettledArrays(root, () => ids)
    const refs = ids.flatMap((id) => known.get(id) ?? [])
    await refuseResaved(this.engine, root, place, refs)
  }

  /** The source behind one `array_source` of the catalog; what a Parquet file lacks comes from the table of the store, if it has one. */
  source(places: ArrayPlaces, place: string): ArraySource {
    const source = this.#single(places, place)
    if (isDatabase(place) || places.duckdb === null) return source
    return layeredSource(source, tableSource(this.engine, this.#stores, places.duckdb, true))
  }

  #single(places: ArrayPlaces, place: string): ArraySource {
    if (place === 'table') return tableSource(this.engine, this.#stores, presentStore(places.duckdb, 'store.duckdb'))
    if (place === 'bak') return tableSource(this.engine, this.#stores, presentStore(places.bak, 'store.duckdb.bak'))
    return parquetSource(this.engine, this.#checks, places.root, place)
  }

  /** Wait for the reads first: one that is under way fails with what the engine says. */
  close(): void {
    this.engine.close()
  }

  /** As `close`, after reads that went well: the engine may be used again. */
  async release(): Promise<void> {
    await this.engine.release()
  }
}

const isDatabase = (place: string): boolean => place === 'table' || place === 'bak'

/** Ids by where their arrays lie, without the tombstoned ones; tombstones concern Parquet rows only. */
const groupBySource = (refs: readonly ArrayRef[], tombstones: ReadonlyMap<string, string> | null): ReadonlyMap<string, string[]> => {
  const groups = new Map<string, string[]>()
  for (const { prediction_id, array_source } of refs) {
    if (array_source === null) continue
    if (!isDatabase(array_source) && tombstones?.has(prediction_id)) continue
    const ids = groups.get(array_source)
    if (ids === undefined) groups.set(array_source, [prediction_id])
    else ids.push(prediction_id)
  }
  return groups
}

const idsOf = (rows: readonly { readonly prediction_id: string }[]): string[] => rows.map(({ prediction_id }) => prediction_id)

/** Of predictions whose arrays are in no store, also those that are said to have none: a save may have taken them away. */
const idsOutside = (refs: readonly ArrayRef[]): string[] =>
  idsOf(refs.filter(({ array_source }) => array_source === null || !isDatabase(array_source)))

const samplesOf = (refs: readonly ArrayRef[]): ReadonlyMap<string, number> =>
  new Map(
    refs.flatMap(({ prediction_id, n_samples }) => (n_samples === null || n_samples === undefined ? [] : [[prediction_id, n_samples]])),
  )

const refuseForeign = (place: string, rows: readonly ArrayRow[], samples: ReadonlyMap<string, number>): void => {
  const foreign = rows.filter((row) => !fitsSamples(samples.get(row.prediction_id) ?? null, lengthsOf(row)))
  if (foreign.length === 0) return
  throw foreignArrays(
    place,
    foreign.map(({ prediction_id }) => prediction_id),
  )
}

const presentStore = (path: string | null, name: string): string => {
  if (path !== null) return path
  throw new StorageError('arrays_missing', `${name} is no longer there. Nothing was changed.`, {
    path: name,
    hint: 'Reload the workspace.',
  })
}

/** Opens a reader for the length of `work`. */
export const withArrayReader = async <T>(options: EngineOptions, work: (reader: ArrayReader) => Promise<T>): Promise<T> => {
  const reader = await ArrayReader.open(options)
  let result: T
  try {
    result = await work(reader)
  } catch (error) {
    reader.close()
    throw error
  }
  await reader.release()
  return result
}
