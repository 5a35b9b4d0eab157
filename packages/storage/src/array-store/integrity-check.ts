import { readTombstones } from '../arrays/tombstones.ts'
import { isStorageError } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import { columnOf, textsOf } from '../parquet/column-block.ts'
import { GroupThreads } from '../parquet/group-threads.ts'
import { segmentsOf } from '../parquet/own-metadata.ts'
import { checkGroup } from '../parquet/threaded-groups.ts'
import { workAhead } from '../parquet/work-ahead.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { CorruptArrays, IntegrityOptions, IntegrityReport } from './array-reports.ts'
import { datasetsOf } from './dataset-files.ts'
import { visitIds, visitRepeated } from './last-rows.ts'
import type { LazyEngine } from './lazy-engine.ts'
import { negativeShapes } from './negative-shapes.ts'
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
      await collectIds(reader, options.expectedIds !== undefined, tally)
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

/** All ids only when somebody asks for them: most of the time only those that come twice matter. */
const collectIds = async (reader: ArrayFileReader, withAll: boolean, tally: Tally): Promise<void> => {
  const seen = new Set<string>()
  tally.rows += reader.rows
  const visit = (_row: number, id: string, dataset: string) => {
    const key = rowKey(dataset, id)
    if (seen.has(key)) tally.duplicates.add(id)
    seen.add(key)
    if (withAll) tally.ids.add(id)
  }
  await (withAll ? visitIds(reader, visit) : visitRepeated(reader, visit))
}

/** Every value of the file; every byte of it too, as far as somebody has noted what it was. */
const checkValues = async (reader: ArrayFileReader, options: IntegrityOptions, tally: Tally): Promise<void> => {
  // The bytes are hashed here while the values are decoded elsewhere.
  const [found, intact] = await Promise.allSettled([damagedGroups(reader, options), areBytesIntact(reader, options.signal)])
  if (found.status === 'rejected') throw found.reason
  tally.corrupt.push(...found.value)
  if (found.value.length > 0) return
  if (intact.status === 'rejected') throw intact.reason
  if (!intact.value) {
    const datasets = await datasetNames(reader)
    const reason = 'its bytes have changed since they were written, though not its values'
    tally.corrupt.push({ file: reader.name, datasets, row_group: null, columns: [], prediction_ids: [], reason })
  }
  tally.corrupt.push(...(await negativeShapes(reader)))
}

const damagedGroups = async (reader: ArrayFileReader, { signal, onProgress }: IntegrityOptions): Promise<CorruptArrays[]> => {
  const { groups } = reader.file
  const bytesOf = (group: number) => reader.file.valueBytes(group)
  const threads = new GroupThreads([...groups.keys()].reduce((bytes, group) => bytes + (reader.isOwn(group) ? bytesOf(group) : 0), 0))
  const corrupt: CorruptArrays[] = []
  try {
    const check = (group: number) => (reader.isOwn(group) ? damageOf(reader, group, threads) : foreignDamage(reader, group))
    for await (const { item: group, result: damage } of workAhead(groups.keys(), { width: threads.width, bytesOf }, check)) {
      signal?.throwIfAborted()
      if (damage.reasons.length > 0) corrupt.push(await located(reader, group, damage))
      const { firstRow, rows } = groups[group] ?? { firstRow: 0, rows: 0 }
      onProgress?.({ file: reader.name, rows: firstRow + rows, total_rows: reader.rows })
    }
    return corrupt
  } finally {
    await threads.close()
  }
}

interface Damage {
  readonly columns: string[]
  readonly reasons: string[]
}

const damageOf = async (reader: ArrayFileReader, group: number, threads: GroupThreads): Promise<Damage> => {
  try {
    const reasons = await checkGroup(threads, reader.file, group)
    const found = reader.forms.flatMap(({ name }, index) => {
      const reason = reasons[index]
      return reason === null || reason === undefined ? [] : [{ name, reason: reader.file.damaged(group, name, reason).message }]
    })
    return { columns: found.map(({ name }) => name), reasons: found.map(({ reason }) => reason) }
  } catch (error) {
    // The footer says that pages lie where there is no room for them.
    if (isStorageError(error, 'arrays_corrupt')) return { columns: [], reasons: [error.message] }
    throw error
  }
}

/** Nobody has noted what another program wrote: it can be decoded, or not. */
const foreignDamage = async (reader: ArrayFileReader, group: number): Promise<Damage> => {
  try {
    for await (const _ of reader.blocks(undefined, [group]));
    await reader.requireDecodable({ groups: [group] })
    return { columns: [], reasons: [] }
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return { columns: [], reasons: [error.message] }
    throw error
  }
}

const located = async (reader: ArrayFileReader, group: number, { columns, reasons }: Damage): Promise<CorruptArrays> => {
  const read = async (column: string) => {
    if (columns.includes(column)) return []
    const texts = reader.isOwn(group) ? textsOf(await reader.file.readColumn(group, column)) : await foreignTexts(reader, group, column)
    return [...new Set(texts)].flatMap((text) => (text === null ? [] : [text]))
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

/** None where this column is damaged as well. */
const foreignTexts = async (reader: ArrayFileReader, group: number, column: string): Promise<(string | null)[]> => {
  const texts: (string | null)[] = []
  try {
    for await (const { block } of reader.blocks([column], [group])) texts.push(...textsOf(columnOf(block, column)))
    return texts
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return []
    throw error
  }
}

const datasetNames = async (reader: ArrayFileReader): Promise<string[]> => [...(await datasetsOf(reader)).keys()].sort()

const areBytesIntact = async (reader: ArrayFileReader, signal: AbortSignal | undefined): Promise<boolean> => {
  let start = 0
  const end = reader.file.footer.start
  for (const { bytes, sha256 } of segmentsOf(reader.file.checksums, end)) {
    if (sha256 !== null && (await hashFile(reader.file.path, { start, end: start + bytes, signal })) !== sha256) return false
    start += bytes
  }
  return start === end
}
