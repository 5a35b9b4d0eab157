import { createHash } from 'node:crypto'

const longestName = 255
const longestKept = 60
// Windows opens a device under these names, whatever follows the first dot.
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])$/

const forbidden = /[<>:"/\\|?*]/

/** The folder that nirs4all gives to a template: spaces to `_`, without `<>:"/\|?*`, lower case. */
export const libraryStem = (name: string): string =>
  name
    .replaceAll(' ', '_')
    .replace(/[<>:"/\\|?*]/g, '')
    .toLowerCase()

/**
 * Folder names for a template, best first: the one under which nirs4all looks, then ones of our own with a hash of the exact name, for
 * names that no folder can have and for names whose folder belongs to another template (`T:One`, `tone`).
 */
export function* templateFolders(name: string): Generator<string> {
  const stem = libraryStem(name)
  if (isStorable(stem)) yield stem
  yield* hashedFolders(stem, name)
}

/** As `templateFolders`, for categories: nirs4all uses their name as it stands. */
export function* categoryFolders(category: string): Generator<string> {
  if (isStorable(category) && !forbidden.test(category)) yield category
  yield* hashedFolders(libraryStem(category), category)
}

/** Names that some file system takes for one: by case, by composed and decomposed accents, by `ß` and `SS`. */
export const foldedName = (name: string): string => name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')

// JSON text tells lone surrogates apart, UTF-8 does not.
function* hashedFolders(stem: string, exactName: string): Generator<string> {
  const kept = keepSafe(stem)
  for (let attempt = 0; attempt < 1000; attempt++) {
    const hash = createHash('sha256')
      .update(JSON.stringify([exactName, attempt]))
      .digest('hex')
      .slice(0, 16)
    yield kept === '' ? hash : `${kept}-${hash}`
  }
}

const keepSafe = (stem: string): string =>
  stem
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}_-]+/gu, '_')
    .replace(/^[_-]+|[_-]+$/g, '')
    .slice(0, longestKept)
    .toWellFormed()
    .replace(/\ufffd/g, '')

const isStorable = (folder: string): boolean =>
  folder !== '' &&
  !folder.startsWith('.') &&
  !/[. ]$/.test(folder) &&
  !/\p{Cc}/u.test(folder) &&
  folder.isWellFormed() &&
  Buffer.byteLength(folder) <= longestName &&
  !device.test(folder.split('.')[0]?.trimEnd().toLowerCase() ?? '')
