import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '../testing/listen.ts'
import { startWriter } from '../testing/start-writer.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { copyDemo } from '../testing/workspace-copies.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const ask = async (method: string, path: string, body?: unknown): Promise<{ status: number; answer: unknown }> => {
  const response = await fetch(`http://127.0.0.1:${server.port}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, answer: await response.json() }
}

// Only Linux lists who holds a lock before anybody tries to open the file.
test.skipIf(process.platform !== 'linux')('who holds a store is told before anything was written, and that it is free again', async () => {
  const path = await copyDemo()
  const workspace = await server.services.workspaces.open(path)
  await workspace.query(async () => undefined)
  const listener = await listen(server, `workspace:${workspace.id}`)
  const query = `?workspace=${workspace.id}`
  const writer = await startWriter(join(path, 'store.duckdb'))
  const locked_by = expect.objectContaining({ pid: writer.pid })
  try {
    await expect.poll(async () => (await ask('GET', `/workspace/storage-status${query}`)).answer).toMatchObject({ locked_by })
    expect((await ask('GET', `/workspace/stats${query}`)).answer).toMatchObject({ locked_by })
    expect((await ask('GET', `/workspace/inspect${query}`)).answer).toMatchObject({ locked_by })
    expect((await ask('GET', '/workspaces')).answer).toMatchObject({ rows: [{ writer: locked_by }] })
    for (const [job, body] of [
      ['migrate', { dry_run: false }],
      ['migrate/rollback', {}],
      ['migrate/verify', {}],
    ] as const) {
      const { status, answer } = await ask('POST', `/workspace/${job}${query}`, body)
      expect([status, answer]).toEqual([423, expect.objectContaining({ code: 'store_locked', locked_by })])
    }
    expect(server.started).toEqual([])
  } finally {
    await writer.release()
  }
  await expect.poll(async () => (await ask('GET', `/workspace/storage-status${query}`)).answer).toMatchObject({ locked_by: null })
  await listener.until((event) => event.type === 'workspace_unlocked')
  expect(listener.events.map(({ type }) => type).filter((type) => type.startsWith('workspace_'))).toEqual([
    'workspace_locked',
    'workspace_unlocked',
  ])
  await listener.close()
})
