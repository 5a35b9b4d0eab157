import type { Problem } from '@nirs-workspace/types'

export type QueryValue = string | number | boolean | readonly string[] | undefined
export type QueryParams = Readonly<Record<string, QueryValue>>

/** What the server said went wrong, or what kept us from hearing it (`unreachable`). */
export class ApiError extends Error {
  readonly status: number
  readonly code: Problem['code'] | 'unreachable'
  readonly problem: Problem | undefined

  constructor(status: number, code: Problem['code'] | 'unreachable', detail: string, problem?: Problem) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.problem = problem
  }
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly query?: QueryParams
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** `/api` + path with the parameters that have a value; a list becomes a repeated parameter. */
export const apiUrl = (path: string, query: QueryParams = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text === '' ? `/api${path}` : `/api${path}?${text}`
}

/** The response, once it is a good one; otherwise throws an `ApiError` (or the abort). */
export const send = async (path: string, options: RequestOptions = {}): Promise<Response> => {
  const response = await reach(apiUrl(path, options.query), {
    method: options.method ?? 'GET',
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  if (response.ok) return response
  throw await readProblem(response)
}

export const request = async <T>(path: string, options: RequestOptions = {}): Promise<T> =>
  trusted<T>(await (await send(path, options)).json())

const reach = async (url: string, init: RequestInit): Promise<Response> => {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'unreachable', error instanceof Error ? error.message : String(error))
  }
}

const readProblem = async (response: Response): Promise<ApiError> => {
  const text = await response.text()
  if (!(response.headers.get('content-type') ?? '').includes('json')) return new ApiError(response.status, 'internal', text.slice(0, 200))
  const problem = trusted<Problem>(JSON.parse(text))
  return new ApiError(response.status, problem.code, problem.detail, problem)
}

/**
 * The one place where JSON becomes a type without being looked at. Our own server is the only sender, and its tests check every
 * answer against the same schemas that these types come from; checking again here would ship zod to the browser.
 */
const trusted = <T>(value: unknown): T => value as T

export const isApiError = (error: unknown, ...codes: ApiError['code'][]): error is ApiError =>
  error instanceof ApiError && (codes.length === 0 || codes.includes(error.code))
