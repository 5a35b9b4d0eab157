import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createLog } from '../log.ts'
import { makeTestServices } from '../testing/test-services.ts'
import { sendStream } from './send-stream.ts'
import { startServer } from './start-server.ts'

async function* failing(after: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < after; index += 1) yield new Uint8Array(100_000)
  throw new Error('the disk is gone')
}

test('X6: a failure in mid-stream breaks the connection; a failure before the first byte is a problem', async () => {
  const test = await makeTestServices()
  const app = new Hono().get('/*', (context) => sendStream(context.req.raw, () => failing(Number(context.req.query('after'))), {}))
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
  const url = `http://127.0.0.1:${server.port}/x`
  const broken = await fetch(`${url}?after=3`)
  expect(broken.status).toBe(200)
  await expect(broken.arrayBuffer()).rejects.toThrow()
  const refused = await fetch(`${url}?after=0`)
  expect([refused.status, await refused.text()]).toEqual([500, 'refused'])
  await server.close()
  await test.close()
})
