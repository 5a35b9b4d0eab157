import { join } from 'node:path'
import type { TrashEntry, TrashList } from '@nirs-workspace/types'
import { isStorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { type Layout, layoutOf } from '../migration/workspace-layout.ts'
import { lookAtLink, namesIn } from '../workspace/look-at.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { readManifest, type TrashManifest } from './trash-manifest.ts'
import { isOperationId, type TrashPlaces, trashFolder, trashPlaces } from './trash-places.ts'

/**
 * The operations in the trash, the latest first; those whose manifest cannot be read are said to be damaged. What an interrupted job has not
 * finished keeping is none. Reads only.
 */
export const listTrash = async (path: string): Promise<TrashList> => {
  const layout = layoutOf((await resolveWorkspace(path)).root)
  const rows: TrashEntry[] = []
  for (const name of await operationsIn(layout)) {
    const entry = await readEntry(layout, name)
    if (entry !== null) rows.push(entry)
  }
  rows.sort((a, b) => (a.created_at === b.created_at ? compare(a.operation_id, b.operation_id) : compare(b.created_at, a.created_at)))
  return { rows, total: rows.length }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Names of folders in the trash that can be operations. */
export const operationsIn = async (layout: Layout): Promise<string[]> => (await namesIn(trashFolder(layout))).filter(isOperationId)

const readEntry = async (layout: Layout, name: string): Promise<TrashEntry | null> => {
  const places = trashPlaces(layout, name)
  const manifest = await readIfSound(layout, name)
  if (manifest === null) return null
  if (manifest === 'damaged') return describeDamaged(places, name)
  return {
    operation_id: name,
    kind: manifest.kind,
    created_at: manifest.created_at,
    counts: manifest.counts,
    bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
    partly_restored: await exists(places.restored),
    damaged: false,
  }
}

const readIfSound = async (layout: Layout, name: string): Promise<TrashManifest | 'damaged' | null> => {
  try {
    return await readManifest(layout, name)
  } catch (error) {
    if (isStorageError(error, 'trash_damaged')) return 'damaged'
    if (isStorageError(error, 'trash_not_found')) return null
    throw error
  }
}

/** What can be said of an operation without its manifest; null when it has gone meanwhile. */
const describeDamaged = async ({ folder, manifest, restored }: TrashPlaces, name: string): Promise<TrashEntry | null> => {
  const found = await lookAtLink(manifest)
  if (found === null) return null
  const created_at = found.mtime.toISOString()
  const partly_restored = await exists(restored)
  return { operation_id: name, kind: 'unknown', created_at, counts: {}, bytes: await bytesBelow(folder), partly_restored, damaged: true }
}

const bytesBelow = async (folder: string): Promise<number> => {
  let bytes = 0
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    const found = await lookAtLink(path)
    bytes += found?.isDirectory() === true ? await bytesBelow(path) : (found?.size ?? 0)
  }
  return bytes
}
