import { type ErrorCode, errorCodes, Job, Problem, ServerEvent } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Route, RouteAnswer } from '../routes/define-route.ts'
import { version } from '../version.ts'

type JsonObject = Record<string, unknown>

const anyRoute: readonly ErrorCode[] = ['host_not_allowed', 'origin_not_allowed', 'validation', 'internal']
/** Too many wrong tokens are refused for a while. */
const behindToken: readonly ErrorCode[] = ['token_required', 'too_many_requests']
const anyPost: readonly ErrorCode[] = ['invalid_json', 'unsupported_media_type', 'payload_too_large']

/** OpenAPI 3.1 from the routes and their zod schemas; nothing is written twice. */
export const makeOpenApi = (routes: readonly Route[]): JsonObject => {
  const paths: Record<string, JsonObject> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'NIRS Workspace',
      version,
      description:
        'Browse, migrate and look after the prediction workspaces of the NIRS library nirs4all. Errors are RFC 9457 problem documents.',
    },
    servers: [{ url: '/api' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'The token that the server printed when it started.' } },
      schemas: { Problem: jsonSchema(Problem), Job: jsonSchema(Job), ServerEvent: jsonSchema(ServerEvent) },
    },
  }
}

/** Every code that can come from a route. */
export const codesOf = (route: Route): ReadonlySet<ErrorCode> =>
  new Set([...anyRoute, ...(isOpen(route) ? [] : behindToken), ...(route.method === 'POST' ? anyPost : []), ...(route.errors ?? [])])

/** Needs no token. */
const isOpen = ({ path }: Route): boolean => path === '/health'

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output' = 'output'): JsonObject => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const operation = (route: Route): JsonObject => ({
  operationId: operationId(route),
  tags: [route.tag],
  summary: route.summary,
  ...(isOpen(route) ? { security: [] } : {}),
  parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
  ...(route.method === 'POST'
    ? {
        requestBody: {
          required: route.bodyRequired === true,
          content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
        },
      }
    : {}),
  responses: Object.fromEntries([...route.answers.map(answer), ...problems(route)]),
})

const operationId = ({ method, path }: Route): string =>
  `${method.toLowerCase()}${path.replace(/[{}]/g, '').replace(/(?:^|[/_.-])([a-z])/g, (_all, letter: string) => letter.toUpperCase())}`

const pathParameters = (path: string): JsonObject[] =>
  [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))

const queryParameters = (query: z.ZodObject): JsonObject[] => {
  const schema = z.object({ properties: z.record(z.string(), z.looseObject({})), required: z.array(z.string()).default([]) })
  const { properties, required } = schema.parse({ properties: {}, ...jsonSchema(query) })
  // A parameter with a default is always there once parsed, yet need not be sent.
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name) && !('default' in property),
    schema: property,
  }))
}

const answer = ({ status, description, schema, mediaTypes, headers }: RouteAnswer): [string, JsonObject] => {
  const json = schema === undefined ? {} : { 'application/json': { schema: jsonSchema(schema) } }
  const others = Object.fromEntries((mediaTypes ?? []).map((type) => [type, {}]))
  const content = { ...json, ...others }
  const told = Object.entries(headers ?? {}).map(([name, meaning]) => [name, { description: meaning, schema: { type: 'string' } }])
  const parts = {
    ...(told.length === 0 ? {} : { headers: Object.fromEntries(told) }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  }
  return [String(status), { description, ...parts }]
}

/** One response per status, naming every code that can come with it. */
const problems = (route: Route): [string, JsonObject][] => {
  const byStatus = Map.groupBy(codesOf(route), (code) => errorCodes[code].status)
  return [...byStatus].map(([status, list]) => [
    String(status),
    {
      description: list.map((code) => `\`${code}\`: ${errorCodes[code].title}`).join('; '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ])
}
