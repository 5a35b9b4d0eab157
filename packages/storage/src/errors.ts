import { type ErrorCode, errorCodes, type LockHolder } from '@nirs-workspace/types'

export interface StorageErrorFields {
  /** What to do next, in one sentence. */
  hint?: string
  path?: string
  locked_by?: LockHolder
  job_id?: string
  ids?: readonly string[]
}

/**
 * The only error that leaves this package on purpose. `message` says what happened and what is untouched; `fields.hint` what to do
 * next. Anything else that escapes is a bug.
 */
export class StorageError extends Error {
  readonly code: ErrorCode
  readonly fields: StorageErrorFields

  constructor(code: ErrorCode, message: string, fields: StorageErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StorageError'
    this.code = code
    this.fields = fields
  }

  get exitCode(): number {
    return errorCodes[this.code].exit
  }
}

/** Narrows to a StorageError, of one of the codes when given. */
export const isStorageError = (error: unknown, ...codes: ErrorCode[]): error is StorageError =>
  error instanceof StorageError && (codes.length === 0 || codes.includes(error.code))

/** The Node error code (`ENOENT`, `ENOSPC`, …) of anything thrown, or undefined. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
