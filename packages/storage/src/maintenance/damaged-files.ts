import { arrayFileName } from '../arrays/file-name.ts'
import type { ArrayIndex, IndexedFile } from '../catalog/array-index.ts'
import { StorageError } from '../errors.ts'

/** The file that would hold the arrays of a dataset, if it cannot be read. File systems may not tell upper from lower case. */
export const damagedFileOf = (files: readonly IndexedFile[], dataset: string): IndexedFile | undefined => {
  const path = `arrays/${arrayFileName(dataset)}`.toLowerCase()
  return files.find((file) => file.error !== null && file.path.toLowerCase() === path)
}

/** Damaged files that belong to none of these datasets by their name: what they hold may be anybody's. */
export const damagedStrangers = (files: readonly IndexedFile[], datasets: readonly string[]): IndexedFile[] => {
  const known = new Set(datasets.map((name) => `arrays/${arrayFileName(name)}`.toLowerCase()))
  return files.filter((file) => file.error !== null && !known.has(file.path.toLowerCase()))
}

/** A damaged file in which the rows of a dataset may be that has no file of its name: rows belong to a dataset by their column. */
export const damagedInstead = (files: readonly IndexedFile[], dataset: string): IndexedFile | undefined => {
  const path = `arrays/${arrayFileName(dataset)}`.toLowerCase()
  return files.some((file) => file.path.toLowerCase() === path) ? undefined : files.find((file) => file.error !== null)
}

/** Throws `arrays_corrupt` when the file of one of these datasets cannot be read: what it holds cannot go to the trash. */
export const refuseUnreadable = ({ files }: ArrayIndex, datasets: readonly string[]): void => {
  const [damaged] = datasets.flatMap((dataset) => damagedFileOf(files, dataset) ?? [])
  if (damaged === undefined) return
  throw new StorageError(
    'arrays_corrupt',
    `${damaged.path} cannot be read, so its rows cannot be kept in the trash. Nothing was changed.`,
    {
      path: damaged.path,
      hint: 'Restore the file from a backup, or move it out of arrays/, then try again.',
    },
  )
}
