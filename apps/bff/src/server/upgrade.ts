import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { EventHub } from '../events/event-hub.ts'
import { serveSession } from '../events/websocket-session.ts'
import { checkRequest, type GuardOptions, type Refusal } from '../guard/check-request.ts'
import { makeProblem, newRequestId, problemHeaders } from './problem.ts'

const maxSessions = 200
/** A subscription is far below this. */
const maxPayload = 4096
const goodbyeMs = 1000

/** Answers `upgrade` requests: the same guard as for any request, then the WebSocket handshake on `/api/ws` only. */
export const createUpgradeHandler = (guard: GuardOptions, hub: EventHub) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false })
  const handle = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const refusal = checkRequest(request, guard) ?? checkUpgrade(request, sockets.clients.size)
    if (refusal === undefined) sockets.handleUpgrade(request, socket, head, (session) => serveSession(session, hub))
    else refuse(socket, refusal)
  }
  const close = (): void => {
    for (const session of sockets.clients) session.close(1001, 'the server stops')
    // A peer that does not answer the goodbye would keep the server from stopping.
    setTimeout(() => {
      for (const session of sockets.clients) session.terminate()
    }, goodbyeMs).unref()
    sockets.close()
  }
  return { handle, close }
}

const checkUpgrade = (request: IncomingMessage, sessions: number): Refusal | undefined => {
  const pathname = (request.url ?? '').split('?', 1)[0]
  if (pathname !== '/api/ws') return { code: 'route_not_found', detail: 'Only /api/ws speaks WebSocket.' }
  if (request.headers['sec-websocket-version'] !== '13') {
    return { code: 'upgrade_required', detail: 'WebSocket version 13 is needed.', headers: { 'sec-websocket-version': '13' } }
  }
  return sessions >= maxSessions
    ? { code: 'too_many_requests', detail: 'Too many listeners.', headers: { 'retry-after': '30' } }
    : undefined
}

/** A whole HTTP answer on the bare socket, which is then closed: an upgrade request has no response object. */
const refuse = (socket: Duplex, { code, detail, headers }: Refusal): void => {
  const problem = makeProblem(code, detail, newRequestId())
  const body = JSON.stringify(problem)
  const all = { ...problemHeaders, ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${problem.status} ${problem.code}\r\n${lines.join('')}\r\n${body}`)
  setTimeout(() => socket.destroy(), 500).unref()
}
