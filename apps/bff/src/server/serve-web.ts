import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { Readable } from 'node:stream'
import { systemCode } from '@nirs-workspace/storage'

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
}

/** A file of the built app; any other path without an extension is a page of the app and gets index.html. */
export const serveWeb = async (request: Request, folder: string): Promise<Response> => {
  const pathname = safeDecode(new URL(request.url).pathname)
  if (pathname === undefined) return notFound()
  const path = normalize(join(folder, pathname))
  if (path !== folder && !path.startsWith(folder + sep)) return notFound()
  const found = pathname === '/' ? undefined : await fileSize(path)
  if (found !== undefined) return sendFile(request, path, found, pathname.startsWith('/assets/'))
  if (extname(pathname) !== '') return notFound()
  const index = join(folder, 'index.html')
  const size = await fileSize(index)
  return size === undefined ? notBuilt() : sendFile(request, index, size, false)
}

const safeDecode = (pathname: string): string | undefined => {
  try {
    const decoded = decodeURIComponent(pathname)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}

const fileSize = async (path: string): Promise<number | undefined> => {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

/** Files under assets/ carry a hash in their name and never change. */
const sendFile = (request: Request, path: string, size: number, hashed: boolean): Response => {
  const headers = {
    'content-type': mediaTypes[extname(path)] ?? 'application/octet-stream',
    'content-length': String(size),
    'cache-control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
  if (request.method === 'HEAD') return new Response(null, { headers })
  return new Response(Readable.toWeb(createReadStream(path)), { headers })
}

const text = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
const notFound = () => new Response('There is nothing at this address.\n', { status: 404, headers: text })
const notBuilt = () =>
  new Response('The app is not built yet. Run "npm start", or "vite build" in apps/web, then reload this page.\n', {
    status: 404,
    headers: text,
  })
