import type { TrashEntry, TrashList } from '@nirs-workspace/types'
import { exists } from '../files/move-file.ts'
import { type Layout, layoutOf } from '../migration/workspace-layout.ts'
import { namesIn } from '../workspace/look-at.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { readJson, TrashManifest } from './trash-manifest.ts'
import { isOperationId, trashFolder, trashPlaces } from './trash-places.ts'

/** The operations in the trash, the latest first. What an interrupted job has not finished keeping is none. Reads only. */
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
  const manifest = await readJson(places.manifest, TrashManifest)
  if (manifest === null) return null
  return {
    operation_id: name,
    kind: manifest.kind,
    created_at: manifest.created_at,
    counts: manifest.counts,
    bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
    partly_restored: await exists(places.restored),
  }
}
