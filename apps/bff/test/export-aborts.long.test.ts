import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDemo } from '@nirs-workspace/demo'
import { readZip } from '@nirs-workspace/storage/testing'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { serveCli } from '../src/testing/run-cli.ts'
import { startTestServer, type TestServer } from '../src/testing/test-server.ts'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'

const home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
  await removeCopies()
})

let server: TestServer
let workspaceId: string
beforeEach(async () => {
  server = await startTestServer()
  const workspace = await server.services.workspaces.open(await copyDemo())
  await workspace.query(async () => undefined)
  workspaceId = workspace.id
})
afterEach(() => server.close())

const zip = { format: 'zip' }
const large = JSON.stringify({ format: 'csv', layout: 'sample' })
const oneFile = { dataset_names: ['wheat_protein'], format: 'parquet' }

const requestExport = (body: object, signal?: AbortSignal): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}/api/aggregated-predictions/export?workspace=${workspaceId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })

/** Asks for an export and goes away after a while, wherever it is by then. */
const abortAfter = async (ms: number, body: object): Promise<void> => {
  const abort = new AbortController()
  setTimeout(() => abort.abort(), ms)
  try {
    await (await requestExport(body, abort.signal)).arrayBuffer()
  } catch (error) {
    if (!abort.signal.aborted) throw error
  }
}

const childrenAlive = (): number => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length

/** What each export has in the cache folder. */
const exportFolders = async (): Promise<string[][]> => {
  const root = join(server.folder, 'cache', 'exports')
  const folders = await readdir(root).catch(() => [])
  const exports = await Promise.all(folders.map(async (name) => (await readdir(join(root, name))).map((one) => join(root, name, one))))
  return Promise.all(exports.flat().map((folder) => readdir(folder)))
}

const expectFreshExport = async (): Promise<void> => {
  const entries = readZip(Buffer.from(await (await requestExport(zip)).arrayBuffer()))
  expect(entries.has('manifest.json')).toBe(true)
}

test('X2: clients that go away at any moment leave no process and no turn taken, and the next export succeeds', async () => {
  await vi.waitFor(() => expect(childrenAlive()).toBe(0), 120_000)
  const moments = Array.from({ length: 24 }, (_, index) => ({ ms: (index * 37) % 600, body: index % 3 === 0 ? oneFile : zip }))
  await Promise.all(moments.map(({ ms, body }) => abortAfter(ms, body)))
  await expectFreshExport()
  await vi.waitFor(() => expect(childrenAlive()).toBe(0), 120_000)
  // Those that were finished are kept for a while.
  expect((await exportFolders()).filter((names) => names.join() !== 'export.parquet')).toEqual([])
})

/** A client that asks for an archive and never reads what comes. */
const stalled = async (port: number, token: string, query: string): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port }).on('error', () => undefined)
  await once(socket, 'connect')
  const head = `POST /api/aggregated-predictions/export${query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}`
  socket.write(`${head}\r\nContent-Type: application/json\r\nContent-Length: ${large.length}\r\n\r\n${large}`)
  return socket.pause()
}

/** Another workspace of the server, whose 17 MB of archive no buffers on the way hold. */
const openLarge = async (): Promise<string> => {
  const { path } = await makeDemo({ directory: join(await mkdtemp(join(home, 'large-')), 'demo'), size: 'small' })
  const workspace = await server.services.workspaces.open(path)
  await workspace.query(async () => undefined)
  return workspace.id
}

test('X2: clients that stop reading keep no others waiting for long, and whoever waits behind them may go away', async () => {
  const id = await openLarge()
  await vi.waitFor(() => expect(childrenAlive()).toBe(0), 120_000)
  const readers = await Promise.all(Array.from({ length: 3 }, () => stalled(server.port, server.token, `?workspace=${id}`)))
  await vi.waitFor(() => expect(readers.every(({ bytesRead }) => bytesRead > 0)).toBe(true), 120_000)
  await sleep(1000)
  expect(childrenAlive()).toBe(3)
  await Promise.all([abortAfter(50, zip), abortAfter(150, oneFile), abortAfter(300, zip)])
  await vi.waitFor(() => expect(childrenAlive()).toBe(3), 120_000)
  expect((await (await requestExport(oneFile)).arrayBuffer()).byteLength).toBeGreaterThan(0)
  await expectFreshExport()
  for (const reader of readers) reader.destroy()
  await vi.waitFor(() => expect(childrenAlive()).toBe(0), 120_000)
})

test('a server that is told to stop ends although exports are at work, waiting and stalled', async () => {
  const running = await serveCli([await copyDemo()], home)
  await running.request('/overview')
  const readers = await Promise.all(Array.from({ length: 6 }, () => stalled(running.port, running.token, '')))
  await sleep(300)
  expect(await running.end('SIGTERM')).toBe(0)
  for (const reader of readers) reader.destroy()
  expect(await readdir(join(home, 'cache', 'exports'))).toEqual([])
})
