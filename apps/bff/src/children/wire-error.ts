import { isStorageError, StorageError } from '@nirs-workspace/storage'
import { type ErrorCode, errorCodes, LockHolder } from '@nirs-workspace/types'
import * as z from 'zod'

const codes = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]

/** A StorageError as it crosses a process border. */
export const WireError = z.object({
  code: z.enum(codes),
  message: z.string(),
  stack: z.string().optional(),
  fields: z.object({
    hint: z.string().optional(),
    path: z.string().optional(),
    job_id: z.string().optional(),
    ids: z.array(z.string()).optional(),
    locked_by: LockHolder.optional(),
  }),
})
export type WireError = z.infer<typeof WireError>

/** Anything else than a StorageError is a bug and becomes `internal`, with its stack for the log. */
export const toWireError = (error: unknown): WireError => {
  if (!isStorageError(error)) {
    const known = error instanceof Error ? error : new Error(String(error))
    return { code: 'internal', message: known.message, ...(known.stack === undefined ? {} : { stack: known.stack }), fields: {} }
  }
  const { ids, ...fields } = error.fields
  return { code: error.code, message: error.message, fields: { ...fields, ...(ids === undefined ? {} : { ids: [...ids] }) } }
}

export const fromWireError = ({ code, message, fields, stack }: WireError): StorageError => {
  const { hint, path, job_id, ids, locked_by } = fields
  const present = {
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
    ...(job_id === undefined ? {} : { job_id }),
    ...(ids === undefined ? {} : { ids }),
    ...(locked_by === undefined ? {} : { locked_by: withoutUndefined(locked_by) }),
  }
  return new StorageError(code, message, present, stack)
}

const withoutUndefined = ({ pid, command, since }: LockHolder) => ({
  pid,
  ...(command === undefined ? {} : { command }),
  ...(since === undefined ? {} : { since }),
})
