import { dirname, resolve } from 'node:path'
import { isStorageError, StorageError } from '../errors.ts'
import { detectStorage } from '../workspace/detect-storage.ts'
import { look, namesIn } from '../workspace/look-at.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

/**
 * The workspace that a merge writes to: one with a `store.duckdb` whose arrays are in Parquet files; or, when it may be created, a path where
 * nothing is or an empty folder (`resolved` null).
 */
export const resolveTarget = async (path: string, create: boolean): Promise<{ path: string; resolved: ResolvedWorkspace | null }> => {
  if (create && (await isVacant(path))) return { path: resolve(path), resolved: null }
  const resolved = await resolveWorkspace(path)
  if (resolved.duckdb === null || resolved.sqlite !== null || resolved.kind !== 'workspace') throw otherKind(path)
  const { has_prediction_arrays_table } = await detectStorage(resolved)
  if (has_prediction_arrays_table) throw notMigrated(path)
  return { path: resolved.root, resolved }
}

const isVacant = async (path: string): Promise<boolean> => {
  const found = await look(path)
  if (found === null) return canBeMade(path)
  // What is there and no folder is told by whoever tries to open it.
  if (!found.isDirectory()) return false
  try {
    await resolveWorkspace(path)
    return false
  } catch (error) {
    if (!isStorageError(error, 'not_a_workspace')) throw error
    return (await namesIn(path)).filter((name) => name !== '.nirs-workspace').length === 0
  }
}

/** The first folder above that is there must be one. */
const canBeMade = async (path: string): Promise<boolean> => {
  for (let above = dirname(resolve(path)); ; above = dirname(above)) {
    const found = await look(above)
    if (found !== null) return found.isDirectory()
    if (dirname(above) === above) return false
  }
}

const notMigrated = (path: string) =>
  new StorageError('not_migrated', 'The arrays of the target are still inside its store. Nothing was changed.', {
    path,
    hint: 'Migrate the target first.',
  })

const otherKind = (path: string) =>
  new StorageError('not_migrated', 'Only a workspace with a store.duckdb can be merged into. Nothing was changed.', {
    path,
    hint: 'Merge this workspace, as a source, into a new one.',
  })
