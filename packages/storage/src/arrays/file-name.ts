import { createHash } from 'node:crypto'

const extension = '.parquet'
const longestName = 255

/**
 * The Parquet file of a dataset, as nirs4all names it, so that it finds what we write. Two datasets may share a file (`a b`, `a_b`):
 * rows are told apart by their `dataset_name`. Names the library could not store itself (longer than 255 bytes, control characters)
 * are made storable with a hash of the full name.
 */
export const arrayFileName = (datasetName: string): string => {
  const stem = libraryStem(datasetName)
  if (isStorable(stem)) return stem + extension
  const hash = createHash('sha256').update(datasetName).digest('hex').slice(0, 16)
  const kept = truncateUtf8(
    Array.from(stem, (character) => (isControl(character) ? '_' : character)).join(''),
    longestName - extension.length - hash.length - 1,
  )
  return `${kept}-${hash}${extension}`
}

// What Python calls white space: JavaScript's, without the byte order mark, with U+001C to U+001F and U+0085.
const separators = String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f, 0x85)
const replaced = new RegExp(`(?:[/\\\\:*?"<>|.${separators}]|(?!\\ufeff)\\s)+`, 'g')
const edgeUnderscores = /^_+|_+$/g

const libraryStem = (name: string): string => name.replace(replaced, '_').replace(edgeUnderscores, '') || 'unnamed'

const isControl = (character: string): boolean => character < ' ' || character === '\x7f'

const isStorable = (stem: string): boolean =>
  Buffer.byteLength(stem + extension) <= longestName && ![...stem].some(isControl) && stem.isWellFormed()

const truncateUtf8 = (text: string, bytes: number): string => {
  let kept = ''
  let size = 0
  for (const character of text.toWellFormed()) {
    size += Buffer.byteLength(character)
    if (size > bytes) return kept
    kept += character
  }
  return kept
}
