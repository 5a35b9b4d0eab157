import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorCodes } from '@nirs-workspace/types'
import type { Hono } from 'hono'
import { checkRequest, type GuardOptions, type Refusal } from '../guard/check-request.ts'
import { bearerChallenge, hasToken, sameToken, tokenCookie } from '../guard/token.ts'
import type { Log } from '../log.ts'
import { securityHeaders } from './headers.ts'
import { makeProblem, newRequestId, problemHeaders } from './problem.ts'
import { serveFetch } from './serve-fetch.ts'

/** The guard, then the exchange of the start address's token for a cookie, then the app. */
export const createRequestListener = (app: Hono, guard: GuardOptions, log: Log) => {
  const handle = serveFetch((request) => app.fetch(request), log)
  const enter = (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = exchangeToken(request, response, guard)
    if (refusal === undefined) return
    if (wantsPage(request)) void serveFetch((asked) => asRefusal(app.fetch(asked), refusal), log)(request, response)
    else refuse(request, response, refusal)
  }
  return (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = checkRequest(request, guard)
    if (refusal !== undefined) refuse(request, response, refusal)
    else if (exchangesToken(request)) enter(request, response)
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

const exchangesToken = (request: IncomingMessage): boolean => {
  if (!(request.url ?? '').startsWith('/?')) return false
  const search = searchOf(request)
  return search.has('token') || search.has('code')
}

const searchOf = (request: IncomingMessage): URLSearchParams => new URLSearchParams((request.url ?? '').slice('/?'.length))

/**
 * `/?token=…` or, once, `/?code=…` becomes a cookie and an address without the token, which then is in no history, bookmark or screenshot. An old token does no
 * harm to whoever has the right one as a cookie.
 */
const exchangeToken = (request: IncomingMessage, response: ServerResponse, guard: GuardOptions): Refusal | undefined => {
  const search = searchOf(request)
  // Who only looks whether the address answers does not use up the code.
  const isEntering = request.method === 'GET' && guard.entryCodes.take(search.get('code') ?? '')
  const isRight = guard.token === undefined || sameToken(search.get('token') ?? '', guard.token) || isEntering
  if (!isRight && !hasToken(request.headers, guard)) {
    const tooMany = guard.guesses.tooMany(request.socket.remoteAddress ?? '')
    const detail = 'This token is not, or no longer, valid. Open the address that the server printed when it was last started.'
    return tooMany
      ? { code: 'too_many_requests', detail, headers: { 'retry-after': '60' } }
      : { code: 'token_required', detail, headers: bearerChallenge }
  }
  search.delete('token')
  search.delete('code')
  const rest = search.toString()
  response.writeHead(303, {
    ...securityHeaders,
    location: rest === '' ? '/' : `/?${rest}`,
    'cache-control': 'no-store',
    ...(guard.token === undefined || !isRight ? {} : { 'set-cookie': tokenCookie(guard.token, guard.port) }),
  })
  response.end()
  return undefined
}

/** The app itself, which says what to do without a token, but as a refusal. */
const asRefusal = async (page: Response | Promise<Response>, { code }: Refusal): Promise<Response> => {
  const { body, headers } = await page
  const answer = new Response(body, { status: errorCodes[code].status, headers })
  answer.headers.set('cache-control', 'no-store')
  return answer
}

const wantsPage = (request: IncomingMessage): boolean => /\btext\/html\b/i.test(request.headers.accept ?? '')
