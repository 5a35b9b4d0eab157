import * as z from 'zod'
import { docsPage } from '../openapi/docs-page.ts'
import { makeOpenApi } from '../openapi/make-openapi.ts'
import { RequestError } from '../server/problem.ts'
import { defineRoute, noBody, noQuery, type Route } from './define-route.ts'

/** The description of the API, the page that shows it, and the address of the events. `all` are the routes to describe. */
export const docsRoutes = (all: () => readonly Route[]): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/openapi.json',
    tag: 'Server',
    summary: 'This API as OpenAPI 3.1',
    query: noQuery,
    body: noBody,
    answers: [{ status: 200, description: 'OpenAPI document', schema: z.looseObject({ openapi: z.literal('3.1.0') }) }],
    handle: () => makeOpenApi(all()),
  }),
  defineRoute({
    method: 'GET',
    path: '/docs',
    tag: 'Server',
    summary: 'This API as a page to read',
    query: noQuery,
    body: noBody,
    answers: [{ status: 200, description: 'HTML', mediaTypes: ['text/html'] }],
    handle: () => new Response(docsPage(all()), { headers: { 'content-type': 'text/html; charset=utf-8' } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/ws',
    tag: 'Events',
    summary:
      'WebSocket of events: subscribe to `jobs`, `job:<id>` or `workspace:<id>`; each answers a snapshot, then what was missed, then what happens',
    query: noQuery,
    body: noBody,
    answers: [{ status: 101, description: 'Switching to WebSocket' }],
    errors: ['upgrade_required', 'too_many_requests'],
    handle: () => {
      throw new RequestError('upgrade_required', 'Connect with a WebSocket client.')
    },
  }),
]
