import { join } from 'node:path'
import { isStorageError, StorageError } from '../errors.ts'
import { jsonOrNull } from '../json/json-or-null.ts'
import { pinFile } from './pin-file.ts'

export const tombstonesName = '_tombstones.json'

/**
 * Ids of removed predictions and when they were removed (ISO 8601). No file means none. A damaged file is `tombstones_corrupt`: what
 * removes rows must stop there; what only reads may go on, as it is bound to the predictions that the metadata knows anyway.
 */
export const readTombstones = async (arraysFolder: string): Promise<ReadonlyMap<string, string>> => {
  const text = await readIfThere(arraysFolder)
  if (text === null) return new Map()
  const entries = parseEntries(text)
  if (entries === null) {
    throw new StorageError('tombstones_corrupt', `${tombstonesName} is not a list of removed predictions. Nothing was changed.`, {
      path: join(arraysFolder, tombstonesName),
      hint: 'Restore the file from a backup, or delete it if every removed prediction is gone from the metadata.',
    })
  }
  return entries
}

/** As `readTombstones` for reads and exports: none when the folder is absent, null when the file is damaged. */
export const readTombstonesIfSound = async (arraysFolder: string | null): Promise<ReadonlyMap<string, string> | null> => {
  if (arraysFolder === null) return new Map()
  try {
    return await readTombstones(arraysFolder)
  } catch (error) {
    if (isStorageError(error, 'tombstones_corrupt')) return null
    throw error
  }
}

const readIfThere = async (folder: string): Promise<string | null> => {
  try {
    const file = await pinFile(folder, tombstonesName)
    try {
      return await file.handle.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isStorageError(error, 'arrays_missing')) return null
    throw new StorageError(
      'tombstones_corrupt',
      `${tombstonesName} cannot be read. Nothing was changed.`,
      { path: join(folder, tombstonesName) },
      error,
    )
  }
}

// JSON.parse creates own properties, `__proto__` included, and Object.entries lists them: names stay data.
const parseEntries = (text: string): Map<string, string> | null => {
  const value = jsonOrNull(text)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null
  const entries = new Map<string, string>()
  for (const [id, time] of Object.entries(value)) {
    if (typeof time !== 'string') return null
    entries.set(id, time)
  }
  return entries
}
