import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** 256 random bits, safe in an address. */
export const makeToken = (): string => randomBytes(32).toString('base64url')

/** The port is in the name because cookies of one host are shared by all its ports. */
export const cookieName = (port: number): string => `nirs_workspace_${port}`

/** Compares digests, so that neither length nor content shows in the time taken. */
export const sameToken = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The token a request carries: `Authorization: Bearer` for programs, the cookie for the browser; undefined without either. */
export const tokenOf = (headers: IncomingHttpHeaders, port: number): string | undefined => {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  return bearer ?? cookieOf(headers.cookie ?? '', cookieName(port))
}

/** Whether a request carries the token that is asked for. */
export const hasToken = (headers: IncomingHttpHeaders, { token, port }: { token: string | undefined; port: number }): boolean => {
  const given = tokenOf(headers, port)
  return token === undefined || (given !== undefined && sameToken(given, token))
}

/** Goes with every 401. */
export const bearerChallenge = { 'www-authenticate': 'Bearer' }

const cookieOf = (header: string, name: string): string | undefined => {
  for (const part of header.split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

/** Session cookie: dies with the browser, is never sent by another site and never seen by a script. */
export const tokenCookie = (token: string, port: number): string => `${cookieName(port)}=${token}; Path=/; HttpOnly; SameSite=Strict`
