import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { listen } from '../testing/listen.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const connect = async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/ws`, { headers: { authorization: `Bearer ${server.token}` } })
  await once(socket, 'open')
  return socket
}

const closeCode = async (misbehave: (socket: WebSocket) => void): Promise<number> => {
  const socket = await connect()
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => {
    socket.once('close', resolve)
  })
  misbehave(socket)
  return closed
}

const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel })

describe('H15: whoever misbehaves is closed, others are not disturbed', () => {
  test.each([
    ['a megabyte', (socket: WebSocket) => socket.send('x'.repeat(1024 * 1024)), 1009],
    ['a binary frame', (socket: WebSocket) => socket.send(new Uint8Array([1])), 1003],
    ['no JSON', (socket: WebSocket) => socket.send('{'), 1008],
    ['an unknown type', (socket: WebSocket) => socket.send('{"type":"steal"}'), 1008],
    ['an unknown channel', (socket: WebSocket) => socket.send(subscribe('everything')), 1008],
    ['__proto__', (socket: WebSocket) => socket.send(subscribe('__proto__')), 1008],
    ['a negative number', (socket: WebSocket) => socket.send('{"type":"subscribe","channel":"jobs","since_seq":-1}'), 1008],
  ])('%s', async (_name, misbehave, code) => {
    const good = await listen(server, 'jobs')
    expect(await closeCode(misbehave)).toBe(code)
    expect(good.socket.readyState).toBe(WebSocket.OPEN)
    await good.close()
  })

  test('floods of messages and of subscriptions', async () => {
    const flood = (make: (index: number) => string, count: number) => (socket: WebSocket) => {
      for (let index = 0; index < count; index += 1) socket.send(make(index))
    }
    expect(await closeCode(flood(() => subscribe('jobs'), 10_000))).toBe(1008)
    expect(await closeCode(flood((index) => subscribe(`job:${index}`), 60))).toBe(1008)
  })
})

test('unsubscribing stops the events of a channel', async () => {
  const listener = await listen(server, 'workspace:w1')
  listener.socket.send(JSON.stringify({ type: 'unsubscribe', channel: 'workspace:w1' }))
  listener.socket.send(subscribe('workspace:w2'))
  await listener.until((event) => event.channel === 'workspace:w2')
  server.services.hub.publish({ type: 'workspace_unlocked', data: { workspace_id: 'w1' } })
  server.services.hub.publish({ type: 'workspace_unlocked', data: { workspace_id: 'w2' } })
  await listener.until((event) => event.type === 'workspace_unlocked')
  expect(listener.events.filter((event) => event.type === 'workspace_unlocked').map((event) => event.channel)).toEqual(['workspace:w2'])
  await listener.close()
})

test('a client that reads is told all that it missed, however much that is', async () => {
  const report = 'x'.repeat(1_000_000)
  const other = await startTestServer({
    startJob: () => ({ pid: null, cancel: () => undefined, ended: Promise.resolve({ state: 'completed', report, error: null }) }),
  })
  const { jobs } = other.services
  const ids = Array.from({ length: 10 }, (_, index) => jobs.start({ kind: 'verify', workspace: { id: 'w', path: `/w${index}` } }).job_id)
  await Promise.all(ids.map((id) => jobs.whenEnded(id)))
  const listener = await listen(other, 'jobs', 0)
  await listener.until((event) => event.type !== 'snapshot' && event.seq === 20)
  await listener.close()
  await other.close()
})
