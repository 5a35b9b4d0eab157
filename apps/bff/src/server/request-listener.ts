import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import { checkRequest, type GuardOptions, type Refusal } from '../guard/check-request.ts'
import { sameToken, tokenCookie } from '../guard/token.ts'
import type { Log } from '../log.ts'
import { securityHeaders } from './headers.ts'
import { makeProblem, newRequestId, problemHeaders } from './problem.ts'
import { serveFetch } from './serve-fetch.ts'

/** The guard, then the exchange of the start address's token for a cookie, then the app. */
export const createRequestListener = (app: Hono, guard: GuardOptions, log: Log) => {
  const handle = serveFetch((request) => app.fetch(request), log)
  return (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = checkRequest(request, guard)
    if (refusal !== undefined) refuse(request, response, refusal)
    else if (exchangesToken(request)) exchangeToken(request, response, guard)
    else void handle(request, response)
  }
}

const refuse = (request: IncomingMessage, response: ServerResponse, { code, detail, headers }: Refusal): void => {
  const problem = makeProblem(code, detail, newRequestId())
  const body = JSON.stringify(problem)
  response.writeHead(problem.status, {
    ...securityHeaders,
    ...problemHeaders,
    ...headers,
    'content-length': Buffer.byteLength(body),
    // What a refused request still has to say is not read.
    connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

const exchangesToken = (request: IncomingMessage): boolean => (request.url ?? '').startsWith('/?') && searchOf(request).has('token')

const searchOf = (request: IncomingMessage): URLSearchParams => new URLSearchParams((request.url ?? '').slice('/?'.length))

/** `/?token=…` becomes a cookie and an address without the token, which then is in no history, bookmark or screenshot. */
const exchangeToken = (request: IncomingMessage, response: ServerResponse, guard: GuardOptions): void => {
  const search = searchOf(request)
  const given = search.get('token') ?? ''
  if (guard.token !== undefined && !sameToken(given, guard.token)) {
    const tooMany = guard.guesses.tooMany(request.socket.remoteAddress ?? '')
    const detail = 'This token is not, or no longer, valid. Open the address that the server printed when it was last started.'
    refuse(request, response, { code: tooMany ? 'too_many_requests' : 'token_required', detail })
    return
  }
  search.delete('token')
  const rest = search.toString()
  response.writeHead(303, {
    ...securityHeaders,
    location: rest === '' ? '/' : `/?${rest}`,
    'cache-control': 'no-store',
    ...(guard.token === undefined ? {} : { 'set-cookie': tokenCookie(guard.token, guard.port) }),
  })
  response.end()
}
