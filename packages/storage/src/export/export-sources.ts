import * as z from 'zod'
import { clashingColumn } from '../array-store/damaged-file.ts'
import type { ArrayPlaces } from '../arrays/array-reader.ts'
import { AttachedStores } from '../arrays/attached-stores.ts'
import { fileOfPlace } from '../arrays/file-of-place.ts'
import { damaged, openParquet } from '../arrays/parquet-file.ts'
import { refuseChanged } from '../arrays/refuse-changed.ts'
import { refuseUnsettledArrays } from '../arrays/unsettled-arrays.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { readIds } from '../maintenance/read-texts.ts'

/** One place that arrays of an export come from, held open until `close`. */
export interface ExportSource {
  /** As in the catalog: 'table', 'bak' or the path of a Parquet file. */
  readonly place: string
  readonly relation: string
  /** Condition that joins a row `a` of the relation to a row `m` of the plan. */
  readonly join: string
  /** Columns of the relation and their types, in order. */
  readonly columns: ReadonlyMap<string, string>
  /** Of the file that the engine reads, as it may name it; none for a table of a store. */
  readonly paths: readonly string[]
  /** Size of the file as it is read; null for a table of a store. */
  readonly bytes: number | null
  /** About how many bytes a row has before compression. */
  rowBytes(): Promise<number>
  close(): Promise<void>
}

const Place = z.object({ array_source: z.string() })
const Described = z.object({ column_name: z.string(), column_type: z.string() })
const Missing = z.object({ missing: z.number() })

/**
 * Opens every place that the rows of the plan name and writes into the plan which array row each prediction gets: the last of duplicates,
 * null where there is none. What a Parquet file lacks is looked for in the table of the store. Throws `interrupted` while a save of one of the
 * predictions has not ended.
 */
export const openExportSources = async (
  engine: Engine,
  places: ArrayPlaces,
  plan: string,
  signal?: AbortSignal,
): Promise<ExportSource[]> => {
  const named = await engine.rows(
    Place,
    `SELECT DISTINCT array_source FROM ${plan} WHERE array_source IS NOT NULL ORDER BY array_source NOT IN ('table', 'bak') DESC, array_source`,
  )
  const stores = new AttachedStores(engine)
  const sources: ExportSource[] = []
  try {
    for (const { array_source } of named.filter(({ array_source }) => !isDatabase(array_source))) {
      sources.push(await openFile(engine, places, plan, array_source, signal))
    }
    const fallBack = sources.length > 0 && places.duckdb !== null && (await sendMissingToTable(engine, plan))
    const databases = new Set(named.map(({ array_source }) => array_source).filter(isDatabase))
    for (const place of fallBack ? databases.add('table') : databases) {
      const optional = place === 'table' && !named.some(({ array_source }) => array_source === 'table')
      const source = await openTable(engine, stores, places, plan, place, optional)
      if (source !== null) sources.push(source)
    }
    await refuseUnsettledArrays(places.root, () => idsOutside(engine, plan))
    return sources
  } catch (error) {
    await closeSources(sources)
    throw error
  }
}

/** What a failed export is called: damage in a page shows only while the values are read, and DuckDB names the file by descriptor. */
export const namedAfterSource = (sources: readonly ExportSource[], error: unknown): unknown => {
  if (!(error instanceof Error) || isStorageError(error) || !fileFaults.test(error.message)) return error
  const files = sources.filter(({ place }) => !isDatabase(place))
  const named = files.find(({ relation }) => error.message.includes(/'((?:[^']|'')+)'/.exec(relation)?.[1] ?? relation))
  const place = named?.place ?? files.map((file) => file.place).join(' or ')
  return place === '' ? error : damaged(place, error)
}

const fileFaults = /^(IO|Invalid Input|Invalid|Serialization|Conversion) Error|TProtocolException|ZSTD|Parquet/i

export const closeSources = async (sources: readonly ExportSource[]): Promise<void> => {
  for (const source of sources) await source.close()
}

const isDatabase = (place: string): boolean => place === 'table' || place === 'bak'

const idsOutside = (engine: Engine, plan: string): Promise<string[]> =>
  readIds(engine, `SELECT prediction_id FROM ${plan} WHERE array_source IS NULL OR array_source NOT IN ('table', 'bak')`)

const openFile = async (
  engine: Engine,
  places: ArrayPlaces,
  plan: string,
  place: string,
  signal: AbortSignal | undefined,
): Promise<ExportSource> => {
  const { relation, columns, pinned, rowBytes, close } = await openParquet(engine, places.root, place)
  try {
    await refuseChanged(places.root, place, signal)
    const paths = [pinned.readPath, pinned.enginePath]
    const { size: bytes } = await pinned.handle.stat()
    const source = { place, relation, join: 'a.file_row_number = m.array_row', columns, paths, bytes, rowBytes, close }
    await assignRows(engine, plan, source, 'max(file_row_number)')
    return source
  } catch (error) {
    await close()
    throw damaged(place, error)
  }
}

const openTable = async (
  engine: Engine,
  stores: AttachedStores,
  places: ArrayPlaces,
  plan: string,
  place: string,
  optional: boolean,
): Promise<ExportSource | null> => {
  const path = place === 'bak' ? places.bak : places.duckdb
  if (path === null) throw new StorageError('arrays_missing', 'The store that held the arrays is no longer there. Nothing was changed.')
  const table = await stores.acquire(path).catch((error: unknown) => {
    if (optional && isStorageError(error, 'arrays_missing')) return null
    throw error
  })
  if (table === null) return null
  try {
    const described = await engine.rows(Described, `SELECT column_name, column_type FROM (DESCRIBE ${table.relation})`)
    const columns = new Map(described.map((row) => [row.column_name, row.column_type]))
    const { relation, release: close } = table
    const rowBytes = () => tableRowBytes(engine, relation)
    const source = { place, relation, join: 'a.prediction_id = m.prediction_id', columns, paths: [], bytes: null, rowBytes, close }
    await assignRows(engine, plan, source, '0')
    return source
  } catch (error) {
    await table.release()
    throw error
  }
}

const RowBytes = z.object({ bytes: z.number().nullable() })

/** By the first rows: the lists of a table are of about the same length all along. */
const tableRowBytes = async (engine: Engine, relation: string): Promise<number> => {
  const first = `SELECT y_true, y_pred, y_proba FROM ${relation} LIMIT 100`
  const lengths = ['y_true', 'y_pred', 'y_proba'].map((name) => `coalesce(len(${name}), 0)`).join(' + ')
  return (await engine.one(RowBytes, `SELECT max(8 * (${lengths})) AS bytes FROM (${first})`)).bytes ?? 0
}

const assignRows = (engine: Engine, plan: string, source: Pick<ExportSource, 'place' | 'relation'>, position: string): Promise<void> => {
  const ids = `SELECT prediction_id FROM ${plan} WHERE array_source = ${quotedString(source.place)}`
  return engine.run(`UPDATE ${plan} AS m SET array_row = found.position
    FROM (SELECT prediction_id, ${position}::BIGINT AS position FROM ${source.relation} WHERE prediction_id IN (${ids}) GROUP BY prediction_id) AS found
    WHERE m.prediction_id = found.prediction_id AND m.array_source = ${quotedString(source.place)}`)
}

const sendMissingToTable = async (engine: Engine, plan: string): Promise<boolean> => {
  const lost = `array_row IS NULL AND array_source IS NOT NULL AND array_source NOT IN ('table', 'bak')`
  const { missing } = await engine.one(Missing, `SELECT count(*) AS missing FROM ${plan} WHERE ${lost}`)
  if (missing > 0) await engine.run(`UPDATE ${plan} SET array_source = 'table' WHERE ${lost}`)
  return missing > 0
}

/** The columns that later releases added, over all sources. Throws `arrays_corrupt` where two sources have one with different types. */
export const extraColumns = (sources: readonly ExportSource[], known: ReadonlySet<string>): ReadonlyMap<string, string> => {
  const extras = new Map<string, string>()
  for (const source of sources) {
    for (const [name, type] of source.columns) {
      if (known.has(name.toLowerCase())) continue
      const other = sources.find(({ columns }) => (columns.get(name) ?? type) !== type)
      if (other !== undefined) throw clashingColumn(columnOf(source, name), columnOf(other, name))
      extras.set(name, type)
    }
  }
  return extras
}

const columnOf = ({ place, columns }: ExportSource, name: string) => ({
  form: { name, type: columns.get(name) ?? '' },
  of: fileOfPlace(place),
})

/** A column of a source as the given type, null where the source lacks it. */
export const columnOrNull = (source: ExportSource, name: string, type: string): string =>
  `${source.columns.has(name) ? `a.${quotedIdentifier(name)}` : 'NULL'}::${type} AS ${quotedIdentifier(name)}`
