import { isStorageError, StorageError, systemCode } from '../errors.ts'
import type { StoredTemplate } from './read-template.ts'

export const templateNotFound = (what: string): StorageError =>
  new StorageError('template_not_found', `The library has no template ${what}. Nothing was changed.`, {
    hint: 'List the templates to see what is there.',
  })

export const trashedNotFound = (id: string): StorageError =>
  new StorageError('trash_not_found', `The trash of the library holds no ${JSON.stringify(id.slice(0, 200))}. Nothing was changed.`, {
    hint: 'List what it holds.',
  })

export const templateExists = (name: string, category: string): StorageError =>
  new StorageError('validation', `The category "${category}" already has a template "${name}". Nothing was changed.`, {
    hint: 'Choose another name, or overwrite it: what is there goes to the trash of the library.',
  })

/** Of a claim that is not in effect nothing but its file is left when its program has ended: who knows that need not wait. */
export const templateBusy = (path: string, pending: StoredTemplate['pending'], cause?: unknown): StorageError => {
  const claim = `${path} holds it for an hour when its program was cut short on another machine or in another container`
  const hints = {
    none: 'Try again in a moment.',
    void: `Try again in a moment. ${claim}: if it was, you may delete that file.`,
    'in effect': `Try again in a moment. ${claim}.`,
  }
  return new StorageError(
    'workspace_busy',
    'Another program is changing this template. Nothing was changed.',
    { path, hint: hints[pending] },
    cause,
  )
}

export const invalidTemplate = (what: string, hint: string, cause?: unknown): StorageError =>
  new StorageError('validation', `${what} Nothing was changed.`, { hint }, cause)

/** Runs something that changes files; what the file system refuses comes out as a coded error. */
export const withCodedErrors = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    const code = systemCode(error)
    if (isStorageError(error) || code === undefined || !(error instanceof Error) || !('syscall' in error)) throw error
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new StorageError(
        'no_space',
        'The disk is full. The templates that were there are untouched.',
        { path, hint: 'Free some space and try again.' },
        error,
      )
    }
    throw new StorageError(
      'write_failed',
      `A file of the library could not be written (${code}). The templates that were there are untouched.`,
      { path, hint: 'Check the permissions of the folder and that no other program is saving the same template.' },
      error,
    )
  }
}
