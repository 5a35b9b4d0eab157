import { randomUUID } from 'node:crypto'
import { isStorageError, type StorageError } from '@nirs-workspace/storage'
import { type ErrorCode, errorCodes, type LockHolder, type Problem } from '@nirs-workspace/types'
import type * as z from 'zod'
import type { Log } from '../log.ts'
import type { Telling } from './telling.ts'

export interface FieldError {
  pointer: string
  detail: string
}

/** An answer other than success that a route or the body reader decides on. */
export class RequestError extends Error {
  readonly code: ErrorCode
  readonly errors: readonly FieldError[]

  constructor(code: ErrorCode, detail: string, errors: readonly FieldError[] = []) {
    super(detail)
    this.name = 'RequestError'
    this.code = code
    this.errors = errors
  }
}

/** Where the details of an error go. */
interface Outward {
  log: Log
  telling: Telling
}

export const newRequestId = (): string => randomUUID()

export const makeProblem = (code: ErrorCode, detail: string, requestId: string): Problem => ({
  type: `urn:nirs-workspace:error:${code}`,
  title: errorCodes[code].title,
  status: errorCodes[code].status,
  code,
  detail,
  request_id: requestId,
})

/** The one table from anything thrown to a problem. What is not known is a bug: logged whole, told to nobody. */
export const toProblem = (error: unknown, requestId: string, { log, telling }: Outward): Problem => {
  if (error instanceof RequestError) {
    const problem = makeProblem(error.code, error.message, requestId)
    return error.errors.length === 0 ? problem : { ...problem, errors: [...error.errors] }
  }
  if (isStorageError(error)) return storageProblem(error, requestId, { log, telling })
  log.error('unexpected error', { request_id: requestId, error })
  return makeProblem('internal', 'Something went wrong inside the program. The log has the details under this request_id.', requestId)
}

const storageProblem = (error: StorageError, requestId: string, { log, telling }: Outward): Problem => {
  if (error.code === 'internal') {
    log.error('unexpected error', { request_id: requestId, error })
    return makeProblem('internal', 'Something went wrong inside the program. The log has the details under this request_id.', requestId)
  }
  const { hint, locked_by, job_id } = error.fields
  return {
    ...makeProblem(error.code, telling.text(error.message), requestId),
    ...(hint === undefined ? {} : { hint: telling.text(hint) }),
    ...(locked_by === undefined ? {} : { locked_by: told(locked_by, telling) }),
    ...(job_id === undefined ? {} : { job_id }),
  }
}

const told = ({ command, ...holder }: LockHolder, telling: Telling): LockHolder =>
  command === undefined ? holder : { ...holder, command: telling.text(command) }

/** Every violated rule with a JSON pointer (`/limit`, `/dataset_names/0`). `where` is the part of the request: query, body, path. */
export const validationError = (error: z.ZodError, where: string): RequestError => {
  const errors = error.issues.flatMap((issue) => {
    const path = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
    return path.map((keys) => ({ pointer: toPointer(keys), detail: issue.message }))
  })
  const first = errors[0]
  const detail =
    first === undefined ? `The ${where} is not valid.` : `The ${where} is not valid at ${first.pointer || '/'}: ${first.detail}`
  return new RequestError('validation', detail.slice(0, 500), errors.slice(0, 50))
}

const toPointer = (keys: readonly PropertyKey[]): string =>
  keys.map((key) => `/${String(key).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export const problemHeaders = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }

export const problemResponse = (problem: Problem, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(problem), { status: problem.status, headers: { ...problemHeaders, ...headers } })
