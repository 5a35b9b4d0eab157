import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import { expect, test, vi } from 'vitest'
import { createLog } from '../log.ts'
import { makeTestServices } from '../testing/test-services.ts'
import { sendStream } from './send-stream.ts'
import { startServer } from './start-server.ts'

async function* failing(after: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < after; index += 1) yield new Uint8Array(100_000)
  throw new Error('the disk is gone')
}

const serve = async (answer: (context: Context) => Promise<Response>) => {
  const test = await makeTestServices()
  const app = new Hono().get('/*', answer)
  app.onError((_error, context) => context.text('refused', 500))
  const server = await startServer({
    app,
    hub: test.services.hub,
    log: createLog(() => undefined),
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    allowedNames: [],
    methodsAt: () => ['GET'],
  })
  const close = async () => {
    await server.close()
    await test.close()
  }
  return { port: server.port, close }
}

test('X6: a failure in mid-stream breaks the connection; a failure before the first byte is a problem', async () => {
  const server = await serve((context) => sendStream(context.req.raw, () => failing(Number(context.req.query('after'))), {}))
  const url = `http://127.0.0.1:${server.port}/x`
  const broken = await fetch(`${url}?after=3`)
  expect(broken.status).toBe(200)
  await expect(broken.arrayBuffer()).rejects.toThrow()
  const refused = await fetch(`${url}?after=0`)
  expect([refused.status, await refused.text()]).toEqual([500, 'refused'])
  await server.close()
})

test('X1: whoever is slow is waited for, whoever stops reading is given up', async () => {
  const ends: string[] = []
  async function* endless(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      while (!signal.aborted) yield new Uint8Array(1_000_000)
    } finally {
      ends.push(signal.aborted ? 'told' : 'not told')
    }
  }
  // Many times the pauses below, which a busy machine makes longer.
  const server = await serve((context) => sendStream(context.req.raw, endless, {}, 5000))
  const socket = connect({ host: '127.0.0.1', port: server.port })
  socket.write(`GET /x HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`)
  let taken = 0
  socket.on('data', (data) => {
    taken += data.length
  })
  for (let round = 1; round <= 8; round += 1) {
    await vi.waitFor(() => expect(taken).toBeGreaterThan(round * 5_000_000), 120_000)
    socket.pause()
    await sleep(200)
    socket.resume()
  }
  expect(ends).toEqual([])
  socket.pause()
  await vi.waitFor(() => expect(ends).toEqual(['told']), 120_000)
  socket.resume()
  await once(socket, 'close')
  await server.close()
})
