import { StorageError } from '../errors.ts'
import type { ExtraColumn } from '../migration/array-columns.ts'

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

/** Of a file that kept no other from being done: what has gone already. */
export const thoughOthersWent = (error: StorageError, gone: string): StorageError =>
  new StorageError(error.code, error.message.replace('Nothing was changed.', `It is as it was; ${gone} have gone.`), error.fields, error)

interface ColumnOf {
  readonly form: ExtraColumn
  readonly of: string
}

/** For two columns of one name that no single column can hold without changing values. */
export const clashingColumn = (one: ColumnOf, other: ColumnOf): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `${one.form.name} is ${one.form.type} in ${one.of} and ${other.form.type} in ${other.of}. Nothing was changed.`,
    { path: one.of, hint: 'Give the column one type in both, or work on the datasets one by one.' },
  )
