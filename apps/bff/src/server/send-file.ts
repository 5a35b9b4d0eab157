import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'

export interface FileAnswer {
  path: string
  bytes: number
  etag: string
  headers: Record<string, string>
  /** Called once when the file is no longer read. */
  release: () => void
}

/** A file whose bytes do not change, with HEAD, If-None-Match, Range and If-Range as RFC 9110 has them (one range; several get the whole). */
export const sendFile = (request: Request, { path, bytes, etag, headers, release }: FileAnswer): Response => {
  const all = { ...headers, etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' }
  if (matchesEtag(request.headers.get('if-none-match'), etag)) return finish(release, new Response(null, { status: 304, headers: all }))
  const range = wantedRange(request.headers, bytes, etag)
  if (range === 'unsatisfiable') {
    return finish(release, new Response(null, { status: 416, headers: { ...all, 'content-range': `bytes */${bytes}` } }))
  }
  const { start, end } = range ?? { start: 0, end: bytes - 1 }
  const status = range === undefined ? 200 : 206
  const length = { 'content-length': String(end - start + 1) }
  const part = range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${bytes}` }
  const init = { status, headers: { ...all, ...length, ...part } }
  if (request.method === 'HEAD' || bytes === 0) return finish(release, new Response(null, init))
  const stream = createReadStream(path, { start, end })
  stream.on('close', release)
  return new Response(Readable.toWeb(stream), init)
}

const finish = (release: () => void, response: Response): Response => {
  release()
  return response
}

const matchesEtag = (header: string | null, etag: string): boolean =>
  header !== null && (header.trim() === '*' || header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag))

type Range = { start: number; end: number } | 'unsatisfiable' | undefined

const wantedRange = (headers: Headers, bytes: number, etag: string): Range => {
  const condition = headers.get('if-range')
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range')?.trim() ?? '')
  if (match === null || (condition !== null && condition.trim() !== etag)) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  if (first === '') return Number(last) === 0 ? 'unsatisfiable' : { start: Math.max(0, bytes - Number(last)), end: bytes - 1 }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= bytes ? 'unsatisfiable' : { start, end }
}
