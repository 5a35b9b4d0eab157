import { StorageError } from '../errors.ts'

/** `arrays_corrupt` for a file as a whole. */
export const damagedFile = (name: string, reason: string, cause?: unknown): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `${name.split(/[/\\]/).at(-1)} cannot be used: ${reason}. Nothing was changed.`,
    { path: name, hint: 'Restore the file from a backup.' },
    cause,
  )

/** For what would have to leave out a column that it cannot write. */
export const uncarriedColumns = (name: string, columns: readonly string[]): StorageError =>
  new StorageError(
    'store_too_new',
    `${name.split(/[/\\]/).at(-1)} has columns that this release cannot write again: ${columns.slice(0, 5).join(', ')}. Nothing was changed.`,
    { path: name, hint: 'Update NIRS Workspace.' },
  )
