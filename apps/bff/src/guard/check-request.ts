import type { IncomingMessage } from 'node:http'
import type { ErrorCode } from '@nirs-workspace/types'
import type { AllowedHosts } from './allowed-hosts.ts'
import type { EntryCodes } from './entry-codes.ts'
import type { GuessLimit } from './guess-limit.ts'
import { bearerChallenge, sameToken, tokenOf } from './token.ts'

export interface GuardOptions {
  allowed: AllowedHosts
  port: number
  /** Undefined turns the token off; only for loopback. */
  token: string | undefined
  guesses: GuessLimit
  entryCodes: EntryCodes
  /** Methods of the route at this path, undefined when there is none. Paths outside `/api` belong to the app. */
  methodsAt: (pathname: string) => readonly string[] | undefined
}

export interface Refusal {
  code: ErrorCode
  detail: string
  headers?: Record<string, string>
}

const openPaths = new Set(['/api/health'])

/**
 * Everything that can be decided from the head of a request, in a fixed order: target and Host, route and method, Origin, token.
 * Undefined means: let it in. Nothing here throws, whatever the bytes.
 */
export const checkRequest = (request: IncomingMessage, options: GuardOptions): Refusal | undefined => {
  const target = request.url ?? ''
  const refusedHost = checkHost(request, target, options.allowed)
  if (refusedHost !== undefined) return refusedHost
  const pathname = target.split('?', 1)[0] ?? ''
  const inApi = isApiPath(pathname)
  return (
    checkRoute(request.method ?? '', pathname, inApi, options) ??
    checkOrigin(request, inApi, options) ??
    checkToken(request, pathname, options)
  )
}

export const isApiPath = (pathname: string): boolean => pathname === '/api' || pathname.startsWith('/api/')

const checkHost = (request: IncomingMessage, target: string, allowed: AllowedHosts): Refusal | undefined => {
  const refused: Refusal = { code: 'host_not_allowed', detail: 'The Host header must name this server exactly.' }
  const hosts = valuesOf(request.rawHeaders, 'host')
  const [host] = hosts
  if (hosts.length !== 1 || host === undefined || !allowed.hosts.has(host.toLowerCase())) return refused
  if (target.startsWith('/')) return undefined
  return { code: 'host_not_allowed', detail: 'The request target must be a path.' }
}

/**
 * Whether the router takes a path for what it looks like. It resolves dots and decodes letters first, so that another spelling of an address
 * of the API would come in as one of the app, which needs no token.
 */
const isPlain = (pathname: string, inApi: boolean): boolean => {
  if (pathname.startsWith('//') || pathname.includes('\\')) return false
  if (URL.parse(`http://localhost${pathname}`)?.pathname !== pathname) return false
  const decoded = decodedPath(pathname)
  return inApi || (decoded !== null && !isApiPath(decoded) && !decoded.includes('\\'))
}

const decodedPath = (pathname: string): string | null => {
  try {
    return decodeURIComponent(pathname)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

const checkRoute = (method: string, pathname: string, inApi: boolean, options: GuardOptions): Refusal | undefined => {
  if (!isPlain(pathname, inApi)) return { code: 'route_not_found', detail: 'There is nothing at this address.' }
  const methods = inApi ? options.methodsAt(pathname) : ['GET', 'HEAD']
  if (methods === undefined) return { code: 'route_not_found', detail: 'The API has no such route; /api/docs lists them all.' }
  if (methods.includes(method)) return undefined
  const allow = methods.join(', ')
  return { code: 'method_not_allowed', detail: `This address takes ${allow}.`, headers: { allow } }
}

/**
 * Browsers say where a request comes from; programs say nothing and prove themselves by the token. A page of ours may be opened from
 * anywhere (it holds no data); everything else must come from our own origin. `same-site` is not enough: other ports are same-site.
 */
const checkOrigin = (request: IncomingMessage, inApi: boolean, { allowed }: GuardOptions): Refusal | undefined => {
  const refused: Refusal = { code: 'origin_not_allowed', detail: 'Only pages that this server itself has served may send requests.' }
  const origins = valuesOf(request.rawHeaders, 'origin')
  if (origins.length > 1) return refused
  const [origin] = origins
  if (origin !== undefined && !allowed.origins.has(origin)) return refused
  const site = header(request, 'sec-fetch-site')
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  const opensPage = !inApi && header(request, 'sec-fetch-mode') === 'navigate' && header(request, 'sec-fetch-dest') === 'document'
  return opensPage ? undefined : refused
}

const checkToken = (request: IncomingMessage, pathname: string, { token, port, guesses }: GuardOptions): Refusal | undefined => {
  if (token === undefined || !isApiPath(pathname) || openPaths.has(pathname)) return undefined
  const given = tokenOf(request.headers, port)
  if (given !== undefined && sameToken(given, token)) return undefined
  if (given !== undefined && guesses.tooMany(request.socket.remoteAddress ?? '')) {
    return { code: 'too_many_requests', detail: 'Too many wrong tokens; wait a minute.', headers: { 'retry-after': '60' } }
  }
  return {
    code: 'token_required',
    detail: 'Open the address that the server printed when it started, or send its token as a Bearer token.',
    headers: bearerChallenge,
  }
}

const valuesOf = (rawHeaders: readonly string[], name: string): string[] =>
  rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)

/** One value; a header that browsers send once but came twice counts as foreign. */
const header = (request: IncomingMessage, name: string): string | undefined => {
  const values = valuesOf(request.rawHeaders, name)
  return values.length > 1 ? 'duplicate' : values[0]
}
