import { readTombstones } from '../arrays/tombstones.ts'
import { isStorageError } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import { textsOf } from '../parquet/column-block.ts'
import { segmentsOf } from '../parquet/own-metadata.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { CorruptArrays, IntegrityOptions, IntegrityReport } from './array-reports.ts'
import { datasetsOf } from './dataset-files.ts'
import { visitIds } from './last-rows.ts'
import type { LazyEngine } from './lazy-engine.ts'
import { rowKey } from './row-positions.ts'

interface Tally {
  rows: number
  readonly ids: Set<string>
  readonly duplicates: Set<string>
  readonly corrupt: CorruptArrays[]
}

/** Looks at every array file, changes nothing. Damage is a finding, not an error. */
export const checkIntegrity = async (folder: ArrayFolder, engine: LazyEngine, options: IntegrityOptions): Promise<IntegrityReport> => {
  const tombstones = await tombstonesOf(folder)
  const names = await folder.names()
  const tally: Tally = { rows: 0, ids: new Set(), duplicates: new Set(), corrupt: [] }
  for (const name of names) await checkFile(folder, engine, name, options, tally)
  const { expectedIds } = options
  const isRemoved = (id: string) => tombstones?.has(id) === true
  return {
    files: names.length,
    rows: tally.rows,
    orphan_ids: expectedIds === undefined ? null : [...tally.ids].filter((id) => !expectedIds.has(id) && !isRemoved(id)),
    missing_ids: expectedIds === undefined ? null : [...expectedIds].filter((id) => !tally.ids.has(id) && !isRemoved(id)),
    duplicate_ids: [...tally.duplicates],
    corrupt: tally.corrupt,
    tombstones_corrupt: tombstones === null,
  }
}

const tombstonesOf = async (folder: ArrayFolder): Promise<ReadonlyMap<string, string> | null> => {
  try {
    return await readTombstones(folder.path)
  } catch (error) {
    if (isStorageError(error, 'tombstones_corrupt')) return null
    throw error
  }
}

const checkFile = async (folder: ArrayFolder, engine: LazyEngine, name: string, options: IntegrityOptions, tally: Tally): Promise<void> => {
  const about = { file: `arrays/${name}`, datasets: [], row_group: null, columns: [], prediction_ids: [] }
  try {
    const reader = await folder.open(name, engine)
    try {
      if (options.deep === true) await checkValues(reader, options, tally)
      await collectIds(reader, tally)
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (isStorageError(error, 'arrays_missing')) return
    if (!isStorageError(error, 'arrays_corrupt')) throw error
    // Damage that was found group by group needs no second entry for the file.
    if (!tally.corrupt.some(({ file }) => file === about.file)) tally.corrupt.push({ ...about, reason: error.message })
  }
}

const collectIds = async (reader: ArrayFileReader, tally: Tally): Promise<void> => {
  const seen = new Set<string>()
  tally.rows += reader.rows
  await visitIds(reader, (_, id, dataset) => {
    const key = rowKey(dataset, id)
    if (seen.has(key)) tally.duplicates.add(id)
    seen.add(key)
    tally.ids.add(id)
  })
}

/** Every value of the file; every byte of it too, as far as somebody has noted what it was. */
const checkValues = async (reader: ArrayFileReader, { signal, onProgress }: IntegrityOptions, tally: Tally): Promise<void> => {
  const before = tally.corrupt.length
  for (const [group, { firstRow, rows }] of reader.file.groups.entries()) {
    signal?.throwIfAborted()
    const damage = reader.isOwn(group) ? await damageOf(reader, group) : await foreignDamage(reader, group)
    if (damage.reasons.length > 0) tally.corrupt.push(await located(reader, group, damage))
    onProgress?.({ file: reader.name, rows: firstRow + rows, total_rows: reader.rows })
  }
  if (tally.corrupt.length > before || (await areBytesIntact(reader))) return
  const datasets = await datasetNames(reader)
  const reason = 'its bytes have changed since they were written, though not its values'
  tally.corrupt.push({ file: reader.name, datasets, row_group: null, columns: [], prediction_ids: [], reason })
}

interface Damage {
  readonly columns: string[]
  readonly reasons: string[]
}

const damageOf = async (reader: ArrayFileReader, group: number): Promise<Damage> => {
  const damage: Damage = { columns: [], reasons: [] }
  const results = await Promise.allSettled(reader.forms.map(({ name }) => reader.file.readColumn(group, name)))
  results.forEach((result, index) => {
    if (result.status === 'fulfilled') return
    if (!isStorageError(result.reason, 'arrays_corrupt')) throw result.reason
    damage.columns.push(reader.forms[index]?.name ?? '')
    damage.reasons.push(result.reason.message)
  })
  return damage
}

/** Nobody has noted what another program wrote: it can be decoded, or not. */
const foreignDamage = async (reader: ArrayFileReader, group: number): Promise<Damage> => {
  try {
    for await (const _ of reader.blocks(undefined, [group]));
    return { columns: [], reasons: [] }
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return { columns: [], reasons: [error.message] }
    throw error
  }
}

const located = async (reader: ArrayFileReader, group: number, { columns, reasons }: Damage): Promise<CorruptArrays> => {
  const read = async (column: string) => {
    if (columns.includes(column) || !reader.isOwn(group)) return []
    return [...new Set(textsOf(await reader.file.readColumn(group, column)))].flatMap((text) => (text === null ? [] : [text]))
  }
  return {
    file: reader.name,
    datasets: (await read('dataset_name')).sort(),
    row_group: group,
    columns,
    prediction_ids: await read('prediction_id'),
    reason: [...new Set(reasons)].join(' '),
  }
}

const datasetNames = async (reader: ArrayFileReader): Promise<string[]> => [...(await datasetsOf(reader)).keys()].sort()

const areBytesIntact = async (reader: ArrayFileReader): Promise<boolean> => {
  let start = 0
  const end = reader.file.footer.start
  for (const { bytes, sha256 } of segmentsOf(reader.file.checksums, end)) {
    if (sha256 !== null && (await hashFile(reader.file.path, { start, end: start + bytes })) !== sha256) return false
    start += bytes
  }
  return start === end
}
