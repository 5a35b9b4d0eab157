import type { ErrorCode } from '@nirs-workspace/types'
import * as z from 'zod'
import type { AppDeps } from '../server/app-deps.ts'
import { RequestError, validationError } from '../server/problem.ts'
import { readQuery } from '../server/request-query.ts'

export interface RouteAnswer {
  status: number
  description: string
  /** Schema of a JSON answer; absent for files and pages. */
  schema?: z.ZodType
  mediaTypes?: readonly string[]
  /** What headers of ours mean, by name. */
  headers?: Readonly<Record<string, string>>
}

export interface RouteInput<Q, B> {
  params: Readonly<Record<string, string>>
  query: Q
  body: B
  deps: AppDeps
  /** Aborted (`request.signal`) when the client goes away. */
  request: Request
}

interface RouteText {
  method: 'GET' | 'POST' | 'DELETE'
  /** Below `/api`, with parameters as `{name}`. */
  path: string
  tag: string
  summary: string
  /** An empty request is refused: it must not start anything by accident. Otherwise no body counts as `{}`. */
  bodyRequired?: boolean
  answers: readonly RouteAnswer[]
  /** Error codes beyond those any route can answer. */
  errors?: readonly ErrorCode[]
}

export interface RawInput extends Omit<RouteInput<URLSearchParams, unknown>, 'body'> {
  readBody: () => Promise<unknown>
}

/** A route as data: what OpenAPI, the guard and the server need to know about it. */
export interface Route extends RouteText {
  query: z.ZodObject
  body: z.ZodType
  run(input: RawInput): Promise<Response | object>
}

export interface RouteDefinition<Q extends z.ZodObject, B extends z.ZodType> extends RouteText {
  query: Q
  body: B
  handle(input: RouteInput<z.output<Q>, z.output<B>>): Promise<Response | object> | Response | object
}

export const noQuery = z.strictObject({})
/** Unknown members of a body are ignored. */
export const noBody = z.object({})

/** Ties the schemas of a route to its handler: the handler sees parsed values only. */
export const defineRoute = <Q extends z.ZodObject, B extends z.ZodType>({ handle, ...rest }: RouteDefinition<Q, B>): Route => ({
  ...rest,
  run: async ({ readBody, ...input }) => {
    const query = readQuery(rest.query, input.query)
    const sent = rest.method === 'POST' ? await readBody() : undefined
    if (sent === undefined && rest.bodyRequired === true) throw bodyRequired()
    const body = parseBody(rest.body, sent === undefined ? {} : sent)
    return handle({ ...input, query, body })
  },
})

const bodyRequired = () =>
  new RequestError(
    'body_required',
    'This request came without a body, so nothing was started. Send a JSON object, for example {"dry_run":true}.',
  )

const parseBody = <S extends z.ZodType>(schema: S, raw: unknown): z.output<S> => {
  const result = schema.safeParse(raw)
  if (!result.success) throw validationError(result.error, 'body')
  return result.data
}

/** A path parameter; its name stands in the route's own path. */
export const pathParameter = (params: Readonly<Record<string, string>>, name: string): string => params[name] ?? ''
