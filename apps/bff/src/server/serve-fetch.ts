import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Log } from '../log.ts'

type Fetch = (request: Request) => Response | Promise<Response>

/**
 * Answers Node's requests with a function from Request to Response. A body that fails on its way breaks the connection: nothing is
 * added to it and it is not ended, so the client cannot take a short answer for a whole one.
 */
export const serveFetch =
  (fetch: Fetch, log: Log) =>
  async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const abort = new AbortController()
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) abort.abort()
    })
    try {
      await write(await fetch(toRequest(incoming, abort.signal)), outgoing)
    } catch (error) {
      if (!abort.signal.aborted) log.error('an answer broke off', { error })
      outgoing.destroy()
    }
  }

/** The guard has checked target, Host and method; the name in the address is of no further use. */
const toRequest = (incoming: IncomingMessage, signal: AbortSignal): Request => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headersDistinct)) for (const one of value ?? []) headers.append(name, one)
  const method = incoming.method ?? 'GET'
  const init = { method, headers, signal }
  const url = new URL(`http://localhost${incoming.url ?? '/'}`)
  if (method === 'GET' || method === 'HEAD') return new Request(url, init)
  // Read only when asked for, and left open when given up: a refusal must still reach a client that is sending.
  const body = ReadableStream.from(incoming.iterator({ destroyOnReturn: false }))
  return new Request(url, { ...init, body, duplex: 'half' })
}

const write = async (response: Response, outgoing: ServerResponse): Promise<void> => {
  // The client has gone before there was an answer: whoever makes the body must hear of it, as nobody will read it.
  if (outgoing.destroyed) return response.body?.cancel()
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) outgoing.end()
  else await pipeline(Readable.fromWeb(response.body), outgoing)
}
