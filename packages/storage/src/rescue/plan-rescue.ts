import { mkdtemp, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SummaryBuilder } from '../array-store/summary-builder.ts'
import { arrayFileName } from '../arrays/file-name.ts'
import { readTombstones } from '../arrays/tombstones.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import { interruptible } from '../engine/engine-lane.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { resolveMaintained, withPlanning } from '../maintenance/maintenance-workspace.ts'
import { writeRows } from '../merge/write-rows.ts'
import { formsWith } from '../migration/array-columns.ts'
import type { WorkOptions } from '../migration/job-options.ts'
import { asUnfit } from '../migration/migration-error.ts'
import { openQueries } from '../migration/row-source.ts'
import { sourceAlias } from '../migration/source-tables.ts'
import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { findLostRows, type LostRows, lostBytes, lostRowsSql } from './lost-rows.ts'

export interface RescuableDataset {
  readonly name: string
  /** Name of the file in arrays/ that its rows go to. */
  readonly file: string
  /** Predictions whose arrays the backup has and no array file. */
  readonly predictions: number
  /** Elements of all their arrays. */
  readonly values: number
  readonly bytes_estimated: number
  /** Predictions whose arrays neither an array file nor the backup has. Those that were saved without arrays do not count. */
  readonly stay_lost: number
}

export interface RescuePlan {
  readonly dry_run: true
  readonly datasets: readonly RescuableDataset[]
  readonly predictions: number
  readonly stay_lost: number
  /** Predictions of the backup whose rows in arrays/ are marked as removed: both are left as they are. */
  readonly marked_removed: number
  /** Rows of the backup that no metadata knows: they stay there. */
  readonly unknown_rows: number
  readonly bytes_estimated: number
  readonly free_bytes_needed: number
  readonly free_bytes_available: number
}

/**
 * What a rescue would bring back from store.duckdb.bak: the dry run. Reads only, also on a read-only disk, and holds no lock afterwards.
 * Nothing to bring back is a plan of no predictions. Throws `not_a_workspace`, `not_migrated` while the arrays are still inside the store,
 * `arrays_corrupt` while an array file cannot be read, `tombstones_corrupt` while the list of removed predictions cannot, `store_unreadable` and the like for a store or a backup that cannot.
 */
export const planRescue = async (path: string, options: Pick<WorkOptions, 'signal'> = {}): Promise<RescuePlan> => {
  try {
    return await withLostRows(await resolveMaintained(path), options.signal, (rows) => planOf(rows, options.signal))
  } catch (error) {
    throw isStorageError(error) ? error : (asUnfit(error, 'Nothing was changed.') ?? error)
  }
}

/** Lends what is lost and where it is for the length of `work`; the store and its backup are attached for reading meanwhile. */
export const withLostRows = <T>(
  resolved: ResolvedWorkspace,
  signal: AbortSignal | undefined,
  work: (rows: LostRows) => Promise<T>,
): Promise<T> =>
  withPlanning(resolved, new Date(), async (open) => {
    // A row that comes back must not count as removed as soon as the list can be read again.
    await readTombstones(resolved.arrays)
    const unreadable = open.index.files.find(({ error }) => error !== null)
    if (unreadable !== undefined) throw unreadableFile(unreadable.path)
    const found = (tables: LostRows['tables']) => interruptible(open.engine, signal, () => findLostRows(open, tables))
    if (resolved.bak === null) return work(await found(new Map()))
    return withAttachedStore(open.engine, resolved.bak, sourceAlias, async () => {
      const rows = await found(await attachedTables(open.engine, sourceAlias))
      // What is planned is joined in the order in which it is written: the arrays are the side that is streamed.
      await open.engine.run("SET disabled_optimizers = 'join_order,build_side_probe_side'")
      return work(rows)
    })
  })

const unreadableFile = (path: string) =>
  new StorageError('arrays_corrupt', `${path} cannot be read, and nobody can tell which rows it has already. Nothing was changed.`, {
    path,
    hint: 'Restore the file from a backup, or move it out of arrays/, then rescue again.',
  })

const margin = 8 * 1024 * 1024

/** The plan, from what was found. */
export const planOf = async (rows: LostRows, signal: AbortSignal | undefined): Promise<RescuePlan> => {
  const { resolved } = rows.open
  const ratio = await measureRatio(rows, signal)
  const datasets = rows.datasets.map(({ name, rescuable, stayLost, values, bytes }) => ({
    name,
    file: arrayFileName(name),
    predictions: rescuable,
    values,
    bytes_estimated: Math.ceil(bytes * ratio),
    stay_lost: stayLost,
  }))
  const total = (figure: (dataset: RescuableDataset) => number) => datasets.reduce((sum, dataset) => sum + figure(dataset), 0)
  const bytes_estimated = total((dataset) => dataset.bytes_estimated)
  // A file that grows is written beside the one that it takes the place of, one after the other.
  const growing = datasets.filter(({ predictions }) => predictions > 0).map(({ file }) => sizeOf(join(resolved.arrays, file)))
  const { bavail, bsize } = await statfs(resolved.root)
  return {
    dry_run: true,
    datasets,
    predictions: total(({ predictions }) => predictions),
    stay_lost: total(({ stay_lost }) => stay_lost),
    marked_removed: rows.markedRemoved,
    unknown_rows: rows.unknownRows,
    bytes_estimated,
    free_bytes_needed: Math.ceil(bytes_estimated * 1.1) + Math.max(0, ...(await Promise.all(growing))) + margin,
    free_bytes_available: bavail * bsize,
  }
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0

const sampledRows = 1000
/** Neighbours compress better than rows from here and there: they often share their y_true. */
const stretchRows = 128

/** Bytes of Parquet per byte of arrays: some of the rows are written to the system's temporary folder. */
const measureRatio = async (rows: LostRows, signal: AbortSignal | undefined): Promise<number> => {
  const step = Math.max(1, Math.floor(rows.datasets.reduce((sum, { rescuable }) => sum + rescuable, 0) / sampledRows))
  const where = `(m.place // ${stretchRows}) % ${step} = 0`
  const bytes = await lostBytes(rows, where)
  if (bytes === 0) return 1
  const folder = await mkdtemp(join(tmpdir(), 'nirs-workspace-sample-'))
  try {
    const path = join(folder, 'sample.parquet')
    const forms = formsWith([])
    const source = await openQueries(rows.open.engine, [lostRowsSql(rows, forms, where)], signal)
    await writeRows(await ArrayFileWriter.create(path, forms), forms, new SummaryBuilder(), source, signal)
    return (await stat(path)).size / bytes
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
