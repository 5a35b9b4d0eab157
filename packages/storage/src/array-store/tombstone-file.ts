import { join } from 'node:path'
import { readTombstones, readTombstonesIfSound, tombstonesName } from '../arrays/tombstones.ts'
import { syncFolder } from '../files/disk.ts'
import { unlinkIfThere } from '../files/move-file.ts'
import { writeDurably } from '../files/write-durably.ts'
import type { ArrayFolder } from './array-folder.ts'

/** Adds ids to the list of removed predictions. Fails with `tombstones_corrupt`, and changes nothing, when the list is damaged. */
export const addTombstones = async (folder: ArrayFolder, ids: Iterable<string>): Promise<number> => {
  const tombstones = new Map(await readTombstones(folder.path))
  const before = tombstones.size
  // As Python's `datetime.now(timezone.utc).isoformat()`, which nirs4all writes.
  const now = new Date().toISOString().replace('Z', '000+00:00')
  for (const id of ids) if (!tombstones.has(id)) tombstones.set(id, now)
  if (tombstones.size > before) await writeTombstones(folder, tombstones)
  return tombstones.size - before
}

/** Takes ids off the list. Fails with `tombstones_corrupt`, and changes nothing, when the list is damaged. */
export const removeTombstones = async (folder: ArrayFolder, ids: Iterable<string>): Promise<number> => {
  const tombstones = new Map(await readTombstones(folder.path))
  const before = tombstones.size
  for (const id of ids) tombstones.delete(id)
  if (tombstones.size < before) await writeTombstones(folder, tombstones)
  return before - tombstones.size
}

/** As `removeTombstones`, for rows that have just been saved: a damaged list, which readers pass over, stays as it is. */
export const clearSaved = async (folder: ArrayFolder, ids: Iterable<string>): Promise<void> => {
  if ((await readTombstonesIfSound(folder.path)) !== null) await removeTombstones(folder, ids)
}

const writeTombstones = async (folder: ArrayFolder, tombstones: ReadonlyMap<string, string>): Promise<void> => {
  if (tombstones.size === 0) {
    await unlinkIfThere(join(folder.path, tombstonesName))
    return syncFolder(folder.path)
  }
  await writeDurably(join(folder.path, tombstonesName), tombstonesText(tombstones))
}

/** Entry by entry: an id may be `__proto__`. */
export const tombstonesText = (tombstones: ReadonlyMap<string, string>): string => {
  const entries = [...tombstones].map(([id, time]) => `  ${JSON.stringify(id)}: ${JSON.stringify(time)}`)
  return `{\n${entries.join(',\n')}\n}\n`
}
