import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem, Workspace, WorkspaceList } from '@nirs-workspace/types'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'

let app: TestApp
afterEach(() => app.close())
afterAll(removeCopies)

const open = (path: string) => app.post('/workspaces', { path })
const list = async () => (await app.get('/workspaces')) as WorkspaceList

test('several are open at once: one is current, one can be forgotten, its files stay', async () => {
  const [first, second] = [await copyDemo(), await copyDemo()]
  app = await openTestApp(undefined)
  expect(await list()).toMatchObject({ rows: [], recents: [], total: 0 })
  expect((await app.request('/predictions')).status).toBe(404)
  const one = (await (await open(first)).json()) as Workspace
  const two = (await (await open(join(second, '.'))).json()) as Workspace
  expect((await open(first)).status).toBe(201)
  expect([one.current, two.current, one.id === two.id]).toEqual([true, false, false])
  expect((await list()).rows.map((row) => row.id)).toEqual([one.id, two.id])
  await app.request(`/predictions?workspace=${two.id}`)
  expect((await app.post(`/workspaces/${two.id}/activate`, {})).status).toBe(200)
  expect((await list()).rows.map((row) => row.current)).toEqual([false, true])
  const before = treeHash(second)
  expect((await app.request(`/workspaces/${two.id}`, { method: 'DELETE' })).status).toBe(200)
  expect((await list()).rows.map((row) => [row.id, row.current])).toEqual([[one.id, true]])
  expect((await list()).recents.map((recent) => recent.path)).toEqual([first])
  expect(treeHash(second)).toBe(before)
})

test('N12: wrong paths are refused and create nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-wrong-'))
  await mkdir(join(folder, 'empty'))
  await writeFile(join(folder, 'notes.txt'), 'hello')
  await writeFile(join(folder, 'store.duckdb.txt'), '')
  await symlink('/etc/passwd', join(folder, 'linked.parquet'))
  const before = treeHash(folder)
  app = await openTestApp(undefined)
  const wrong: [path: string, status: number][] = [
    [join(folder, 'nowhere'), 404],
    [join(folder, 'empty'), 422],
    [join(folder, 'notes.txt'), 422],
    [join(folder, 'linked.parquet'), 422],
    ['/dev/null', 422],
    [`${folder}\0x`, 404],
    ['x'.repeat(4096), 404],
    ['file:///etc/passwd', 404],
  ]
  for (const [path, status] of wrong) expect([path.slice(0, 80), (await open(path)).status]).toEqual([path.slice(0, 80), status])
  expect(treeHash(folder)).toBe(before)
  await rm(folder, { recursive: true })
})

/** For what the server notices by itself, every two seconds. */
const waiting = { timeout: 120_000, interval: 100 }

test('a store that becomes unreadable while it is open is told with the reason, until it can be read again', async () => {
  const path = await copyDemo()
  app = await openTestApp(path)
  await app.get('/predictions')
  const seen = async () => (await list()).rows[0]?.catalog
  const before = await seen()
  expect(before).toMatchObject({ state: 'ready', detail: null })
  await rename(join(path, 'store.duckdb'), join(path, 'store.kept'))
  await writeFile(join(path, 'store.duckdb'), 'this is no store'.repeat(1000))
  await vi.waitFor(async () => expect(await seen()).toMatchObject({ state: 'stale', detail: expect.any(String) }), waiting)
  expect(await seen()).toMatchObject({ built_at: before?.built_at })
  await rename(join(path, 'store.kept'), join(path, 'store.duckdb'))
  await vi.waitFor(async () => expect(await seen()).toMatchObject({ state: 'ready', detail: null }), waiting)
})

test('a catalog that is being renewed is stale without a reason', async () => {
  const path = await copyDemo()
  app = await openTestApp(path)
  await app.get('/predictions')
  const seen = async () => (await list()).rows[0]?.catalog
  const before = await seen()
  const later = new Date(Date.now() + 60_000)
  await utimes(join(path, 'store.duckdb'), later, later)
  const meanwhile = new Set<unknown>()
  await vi.waitFor(
    async () => {
      const { state, detail, fingerprint } = (await seen()) ?? {}
      meanwhile.add(`${state}: ${detail}`)
      expect(fingerprint).not.toBe(before?.fingerprint)
    },
    { ...waiting, interval: 5 },
  )
  expect(meanwhile).toEqual(new Set(['ready: null', 'stale: null']))
  expect(await seen()).toMatchObject({ state: 'ready', detail: null })
})

test('a catalog that somebody has removed is built anew: exports open it by its name', async () => {
  app = await openTestApp(await copyDemo())
  await app.get('/predictions')
  const download = () => app.request('/aggregated-predictions/export/wheat_protein.parquet')
  await rm(join(app.folder, 'cache', 'catalogs'), { recursive: true })
  await vi.waitFor(async () => expect((await download()).status).toBe(200), waiting)
})

test('a store that cannot be read is told as such, and other workspaces go on', async () => {
  const [broken, sound] = [await copyDemo(), await copyDemo()]
  await writeFile(join(broken, 'store.duckdb'), 'this is no store'.repeat(1000))
  app = await openTestApp(broken)
  const refused = await app.request('/predictions')
  expect([refused.status, ((await refused.json()) as Problem).code]).toEqual([422, 'store_unreadable'])
  expect((await list()).rows[0]?.catalog.state).toBe('failed')
  const { id } = (await (await open(sound)).json()) as Workspace
  expect((await app.request(`/predictions?workspace=${id}`)).status).toBe(200)
})
