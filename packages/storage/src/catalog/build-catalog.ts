import { join } from 'node:path'
import type { WorkspaceCounts } from '@nirs-workspace/types'
import { appendColumns } from '../engine/append-columns.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { indexArrays } from './array-index.ts'
import { fillArrayTables } from './array-oddities.ts'
import { publish, tidyCatalogs, withBuildFolder } from './build-folder.ts'
import { type CatalogFile, type CatalogOptions, catalogFolder, catalogName, workspaceKey } from './catalog-file.ts'
import { catalogDefinition } from './catalog-schema.ts'
import { countPredictions, fillFromSource } from './fill-catalog.ts'
import { fillLeaders } from './fill-leaders.ts'

export interface CatalogProgress {
  step: 'arrays' | 'metadata' | 'finish'
  /** 0 to 1. */
  fraction: number
}

export interface BuildOptions extends CatalogOptions {
  /** Begins again from the first step when another process has written to the workspace meanwhile. */
  onProgress?: ((progress: CatalogProgress) => void) | undefined
  /**
   * When another process writes during every attempt, keep what the last one read: it is no fresh catalog of any state of the workspace.
   * Default: `store_locked`.
   */
  evenWhenWritten?: boolean | undefined
}

/**
 * Derives the catalog of a workspace and puts it in the cache folder. The workspace is only read; its store is attached while the
 * metadata is copied and no longer. What another process writes in between is read again, a few times. Meant for a short-lived process: a
 * damaged store can take it down.
 * Throws `store_locked`, `store_unreadable`, `store_too_new`, `store_unsafe`, `not_a_workspace`, `write_failed`, `no_space`.
 */
export const buildCatalog = async (resolved: ResolvedWorkspace, options: BuildOptions = {}): Promise<CatalogFile> => {
  for (let attempt = 1; attempt < mostAttempts; attempt += 1) {
    try {
      return await build(resolved, options, false)
    } catch (error) {
      if (!(error instanceof WrittenMeanwhile)) throw error
    }
  }
  return build(resolved, options, options.evenWhenWritten ?? false)
}

/** Who writes without a pause would keep us at it for ever. */
const mostAttempts = 3

/** What was read before and after the other process wrote does not belong together. */
class WrittenMeanwhile extends StorageError {
  constructor(resolved: ResolvedWorkspace, cause?: unknown) {
    const message = 'Another process keeps writing to the workspace, so that no state of it could be read as a whole. Nothing was changed.'
    super('store_locked', message, { path: resolved.root, hint: 'Wait until it has finished, then try again.' }, cause)
  }
}

const build = async (resolved: ResolvedWorkspace, options: BuildOptions, evenWhenWritten: boolean): Promise<CatalogFile> => {
  const folder = catalogFolder(options)
  // Before anything is read: a change after this moment gives another fingerprint and with it a new catalog.
  const fingerprint = await fingerprintWorkspace(resolved)
  const built_at = new Date().toISOString()
  const name = catalogName(workspaceKey(resolved), fingerprint)
  const path = join(folder, name)
  await withBuildFolder(folder, async (own) => {
    const made = join(own, 'catalog.duckdb')
    await withEngine({ memoryLimit: '700MB', spillFolder: join(own, 'spill') }, async (engine) => {
      await attachWritable(engine, made, 'catalog')
      const times = resolved.sqlite === null ? 'local' : 'whole_seconds_utc'
      for (const statement of catalogDefinition('catalog', times)) await engine.run(statement)
      const stamps = { fingerprint, built_at, root: resolved.root }
      const { predictions } = await refuseWritten(resolved, fingerprint, evenWhenWritten, () =>
        fill(engine, resolved, own, stamps, options),
      )
      // One prediction and its siblings are looked up with every click; without these each look-up is a scan.
      await engine.run('CREATE INDEX predictions_by_id ON catalog.predictions(prediction_id)')
      await engine.run('CREATE INDEX predictions_by_chain ON catalog.predictions(chain_id)')
      if (predictions <= mostUncompressed) await engine.run("SET force_compression = 'uncompressed'")
      await engine.run('CHECKPOINT catalog')
      await detach(engine, 'catalog')
    })
    await publish(made, path)
  })
  await tidyCatalogs(folder, workspaceKey(resolved), name)
  return { path, fingerprint, built_at }
}

/** Pages of two states of one file can look like damage: that, too, is only believed of a workspace at rest. */
const refuseWritten = async <T>(
  resolved: ResolvedWorkspace,
  fingerprint: string,
  evenWhenWritten: boolean,
  read: () => Promise<T>,
): Promise<T> => {
  const isWritten = async () => (await fingerprintWorkspace(resolved)) !== fingerprint
  let answer: T
  try {
    answer = await read()
  } catch (error) {
    if (isStorageError(error, 'store_unreadable', 'arrays_corrupt', 'arrays_missing') && (await isWritten())) {
      throw new WrittenMeanwhile(resolved, error)
    }
    throw error
  }
  if (!evenWhenWritten && (await isWritten())) throw new WrittenMeanwhile(resolved)
  return answer
}

/** Finding out how to compress what is small takes a quarter of the building, and saves next to nothing: a file is made of large blocks. */
const mostUncompressed = 5000

const fill = async (
  engine: Engine,
  resolved: ResolvedWorkspace,
  own: string,
  stamps: Record<string, string>,
  options: BuildOptions,
): Promise<WorkspaceCounts> => {
  options.onProgress?.({ step: 'arrays', fraction: 0 })
  const index = await indexArrays(engine, resolved)
  options.onProgress?.({ step: 'metadata', fraction: 0.3 })
  const source = await fillFromSource(engine, resolved, own, index)
  options.onProgress?.({ step: 'finish', fraction: 0.8 })
  await fillArrayTables(engine, index, resolved.kind === 'portable', source.ownTable)
  const counts: WorkspaceCounts = { ...source.counts, ...(await countPredictions(engine)) }
  await fillLeaders(engine, counts.predictions)
  await writeMeta(engine, {
    ...stamps,
    storage_status: JSON.stringify(source.status),
    counts: JSON.stringify(counts),
    tombstones: String(index.tombstones),
    tombstones_corrupt: String(index.tombstonesCorrupt),
    backup_error: source.backupError,
    user_version: String(source.userVersion),
    table_rows: JSON.stringify(source.tableRows),
    free_bytes: String(source.freeBytes),
  })
  return counts
}

const writeMeta = (engine: Engine, meta: Record<string, string>): Promise<void> =>
  appendColumns(engine, { alias: 'catalog', table: 'meta' }, [
    { type: 'varchar', values: Object.keys(meta) },
    { type: 'varchar', values: Object.values(meta) },
  ])
