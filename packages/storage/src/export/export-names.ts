import { createHash } from 'node:crypto'

const longestStem = 150
const reserved = new Set('/\\:*?"<>|')
const device = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/**
 * A file name for a dataset that every file system and archive tool takes: readable, without folders, reserved or invisible characters,
 * at most 150 bytes before the extension. Not unique: two datasets may get the same name (see `uniqueNames`).
 */
export const exportFileName = (datasetName: string, extension: string): string => `${safeStem(datasetName)}.${extension}`

/** As `exportFileName`, without an extension. */
export const safeStem = (name: string): string => {
  const visible = Array.from(name.toWellFormed().normalize('NFC'), (character) => (isSafe(character) ? character : '_')).join('')
  const trimmed = truncate(visible).replace(/^[\s.]+|[\s.]+$/g, '')
  const stem = trimmed === '' ? 'unnamed' : trimmed
  return `${device.test(stem) ? '_' : ''}${stem}`
}

/** File names for these datasets, in order, different from each other also where upper and lower case or accents are the same. */
export const uniqueNames = (datasetNames: readonly string[], extension: string): string[] => {
  const taken = new Set<string>()
  return datasetNames.map((name) => {
    const plain = exportFileName(name, extension)
    let chosen = plain
    for (let attempt = 1; taken.has(caseless(chosen)); attempt += 1) chosen = withHash(plain, name, extension, attempt)
    taken.add(caseless(chosen))
    return chosen
  })
}

/** The form under which two names are the same file on some disk. */
export const caseless = (name: string): string => name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC')

// Another dataset may be called as what this gives: then a number follows the hash.
const withHash = (plain: string, datasetName: string, extension: string, attempt: number): string => {
  const hash = createHash('sha256').update(datasetName).digest('hex').slice(0, 12)
  return `${plain.slice(0, -extension.length - 1)}-${hash}${attempt === 1 ? '' : `-${attempt}`}.${extension}`
}

// Controls, format characters (bidirectional overrides, byte order mark), separators of lines, private use, unassigned.
const isSafe = (character: string): boolean => !reserved.has(character) && !/[\p{C}\p{Zl}\p{Zp}]/u.test(character)

const truncate = (text: string): string => {
  let kept = ''
  for (const character of text) {
    if (Buffer.byteLength(kept) + Buffer.byteLength(character) > longestStem) return kept
    kept += character
  }
  return kept
}
