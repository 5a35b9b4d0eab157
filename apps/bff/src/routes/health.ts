import * as z from 'zod'
import { version } from '../version.ts'
import { defineRoute, noBody, noQuery } from './define-route.ts'

export const healthRoutes = [
  defineRoute({
    method: 'GET',
    path: '/health',
    tag: 'Server',
    summary: 'Whether the server is alive; needs no token and tells nothing else',
    query: noQuery,
    body: noBody,
    answers: [{ status: 200, description: 'Alive', schema: z.object({ status: z.literal('ok'), version: z.string() }) }],
    handle: () => ({ status: 'ok', version }),
  }),
]
