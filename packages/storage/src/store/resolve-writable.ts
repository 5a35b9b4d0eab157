import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { withEngine } from '../engine/open-engine.ts'
import { isStorageError, StorageError, systemCode } from '../errors.ts'
import { identityOf } from '../files/file-identity.ts'
import { storeTables } from '../migration/store-schema.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'

/** Where a store can be written: the folder, and its store unless that is still to be made. */
export interface WritablePlace {
  readonly root: string
  readonly store: string | null
  /** Store and log as they were before they were looked at; null without a store. */
  readonly state: string | null
}

/** Throws `not_a_workspace`, `workspace_not_found`, `not_migrated` for what is none of ours to write to. Changes nothing. */
export const resolveWritable = async (path: string, create: boolean): Promise<WritablePlace> => {
  try {
    const { root, duckdb } = await requireDuckdb(path)
    const state = await stateOf(duckdb)
    await refuseLegacy(duckdb)
    return { root, store: duckdb, state }
  } catch (error) {
    if (!create || !isStorageError(error, 'not_a_workspace', 'workspace_not_found') || !(await isVacant(path))) throw error
    return { root: resolve(path), store: null, state: null }
  }
}

/** Throws `not_migrated` where store.duckdb is not the store, or no longer: nirs4all makes a store.sqlite of it, and leaves another name to it. */
export const requireDuckdb = async (path: string): Promise<{ root: string; duckdb: string }> => {
  const { root, kind, sqlite, duckdb } = await resolveWorkspace(path)
  if (kind !== 'workspace' || duckdb === null || sqlite !== null) throw otherKind(path)
  return { root, duckdb }
}

/**
 * For whoever holds the lock by now and has put in order what a dead job had left: that may have been a roll back, which gives an older
 * release's store its name again. Throws as `resolveWritable` does.
 */
export const resolveAgain = async (place: WritablePlace): Promise<WritablePlace> => {
  if (place.store !== null && (await stateOf(place.store)) === place.state) return place
  return resolveWritable(place.root, false)
}

const stateOf = async (store: string): Promise<string> => `${await identityOf(store)} ${await identityOf(`${store}.wal`)}`

/** Opening for writing replays the log of a crash into the store, so that what may not be written to is told apart before. */
const refuseLegacy = (store: string): Promise<void> =>
  withEngine({}, (engine) =>
    withAttachedStore(engine, store, 'looked_at', async ({ tables }) => {
      if (tables.has('prediction_arrays')) throw legacy(store, 'its arrays are still inside the store')
      for (const table of Object.keys(storeTables)) if (!tables.has(table)) throw legacy(store, `it has no table ${table}`)
      for (const [table, column] of addedBy08) if (tables.get(table)?.has(column) !== true) throw legacy(store, `${table} has no ${column}`)
    }),
  )

/** The columns by which a store of 0.8 differs from those before. */
const addedBy08 = [
  ['runs', 'project_id'],
  ['chains', 'cv_val_score'],
  ['chains', 'final_scores'],
  ['predictions', 'refit_context'],
  ['artifacts', 'chain_path_hash'],
] as const

const legacy = (path: string, reason: string) =>
  new StorageError('not_migrated', `The workspace is of an older release: ${reason}. It can be read; nothing was changed.`, {
    path,
    hint: 'Migrate the workspace, then open it for writing.',
  })

const otherKind = (path: string) =>
  new StorageError('not_migrated', 'Only a workspace with a store.duckdb can be opened for writing. Nothing was changed.', {
    path,
    hint: 'Merge this workspace into a new one and open that.',
  })

const isVacant = async (path: string): Promise<boolean> => {
  try {
    return (await readdir(path)).every((name) => name === '.nirs-workspace')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    // A file is in the way: what was said of the path before holds.
    if (systemCode(error) === 'ENOTDIR') return false
    throw error
  }
}
