import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { makeProblem, newRequestId, problemResponse } from './problem.ts'

export interface FileAnswer {
  path: string
  bytes: number
  etag: string
  headers: Record<string, string>
  /** Called once when the file is no longer read. */
  release: () => void
}

/**
 * A file whose bytes do not change, with HEAD, If-Match, If-None-Match, Range and If-Range as RFC 9110 has them (one range; several get
 * the whole).
 */
export const sendFile = (request: Request, { path, bytes, etag, headers, release }: FileAnswer): Response => {
  const all = { ...headers, etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' }
  const condition = checkConditions(request, etag)
  if (condition === 'failed') return finish(release, preconditionFailed())
  if (condition === 'unchanged') return finish(release, new Response(null, { status: 304, headers: all }))
  const range = request.method === 'GET' ? wantedRange(request.headers, bytes, etag) : undefined
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

const preconditionFailed = () =>
  problemResponse(
    makeProblem('precondition_failed', 'The file has changed, or is another one. Ask for the whole of it again.', newRequestId()),
  )

/** If-Match compares strongly, If-None-Match weakly; the latter means "not modified" to who reads and "failed" to any other method. */
const checkConditions = ({ method, headers }: Request, etag: string): 'met' | 'failed' | 'unchanged' => {
  const match = headers.get('if-match')
  if (match !== null && !tagsIn(match).some((tag) => tag === '*' || tag === etag)) return 'failed'
  const noneMatch = headers.get('if-none-match')
  if (noneMatch === null || !tagsIn(noneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) return 'met'
  return method === 'GET' || method === 'HEAD' ? 'unchanged' : 'failed'
}

/** Our own tags hold no comma, so a foreign one that does cannot be taken for ours. */
const tagsIn = (header: string): string[] => header.split(',').map((tag) => tag.trim())

type Range = { start: number; end: number } | 'unsatisfiable' | undefined

const wantedRange = (headers: Headers, bytes: number, etag: string): Range => {
  const condition = headers.get('if-range')
  const match = /^bytes=(\d*)-(\d*)$/i.exec(headers.get('range')?.trim() ?? '')
  if (match === null || (condition !== null && condition.trim() !== etag)) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  if (first === '') return Number(last) === 0 ? 'unsatisfiable' : { start: Math.max(0, bytes - Number(last)), end: bytes - 1 }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= bytes ? 'unsatisfiable' : { start, end }
}
