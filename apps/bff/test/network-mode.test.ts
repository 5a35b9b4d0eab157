import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { JobFiles } from '../src/jobs/job-files.ts'
import { Jobs } from '../src/jobs/jobs.ts'
import { createLog } from '../src/log.ts'
import { startWriter } from '../src/testing/start-writer.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'
import { Recents } from '../src/workspaces/recents.ts'

let app: TestApp
let root: string
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'nirs-lab-')))
  app = await openTestApp(undefined, { isNetwork: true, workspaceRoot: root })
})
afterEach(async () => {
  await app.close()
  await rm(root, { recursive: true, force: true })
})
afterAll(removeCopies)

const refusal = async (path: string) => {
  const response = await app.post('/workspaces', { path })
  return [response.status, await response.text()] as const
}

test('S1: errors about paths name them inside the workspace root, and no other', async () => {
  await mkdir(join(root, 'empty folder'))
  await writeFile(join(root, 'a file'), 'no workspace')
  await mkdir(join(root, 'cut'))
  await writeFile(join(root, 'cut', 'store.duckdb'), 'no database at all '.repeat(1000))
  for (const [path, status] of [
    [join(root, 'nowhere'), 404],
    [join(root, 'empty folder'), 422],
    [join(root, 'a file'), 422],
    ['/etc/passwd', 403],
    [join(root, '..', 'other'), 403],
  ] as const) {
    const [answered, text] = await refusal(path)
    expect([path, answered]).toEqual([path, status])
    expect(text).not.toContain(root)
    expect(text).not.toMatch(/\/etc\/|\/tmp\//)
  }
  const [, nowhere] = await refusal(join(root, 'nowhere'))
  expect(JSON.parse(nowhere)).toMatchObject({ detail: expect.stringMatching(/^There is no nowhere\b/) })
  await app.post('/workspaces', { path: join(root, 'cut') })
  for (const route of ['/predictions', '/workspace/stats', '/workspace/storage-status']) {
    const response = await app.request(route)
    expect([route, response.status]).toEqual([route, 422])
    expect(await response.text()).not.toContain(root)
  }
})

test('S1: no link leads out of the workspace root', async () => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'nirs-outside-')))
  await writeFile(join(outside, 'store.duckdb'), 'of somebody else')
  const links: [target: string, link: string[]][] = [
    [outside, ['direct']],
    [outside, ['inside', 'workspace']],
    [join(outside, 'store.duckdb'), ['store', 'store.duckdb']],
    [outside, ['arrays', 'arrays']],
    [join(outside, 'store.duckdb'), ['backup', 'store.duckdb.bak']],
  ]
  for (const [target, [folder = '', name]] of links) {
    if (name !== undefined) await mkdir(join(root, folder))
    await symlink(target, join(root, folder, name ?? ''))
  }
  for (const folder of ['arrays', 'backup']) await writeFile(join(root, folder, 'store.duckdb'), 'our own')
  for (const [, [folder = '']] of links) {
    expect([folder, ...(await refusal(folder))]).toEqual([folder, 403, expect.stringContaining('path_not_allowed')])
  }
  expect(await app.get('/workspaces')).toMatchObject({ rows: [], recents: [] })
  await rm(outside, { recursive: true })
})

test('S1: a workspace that becomes a link out of the workspace root while it is open is not there any more', async () => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'nirs-outside-')))
  const store = join(root, 'lab', 'store.duckdb')
  await mkdir(join(root, 'lab'))
  await writeFile(store, 'our own')
  await writeFile(join(outside, 'store.duckdb'), 'of somebody else')
  expect((await app.post('/workspaces', { path: 'lab' })).status).toBe(201)
  await rename(store, `${store}.old`)
  await symlink(join(outside, 'store.duckdb'), store)
  for (const route of ['/predictions', '/workspace/stats']) {
    const response = await app.request(route)
    expect([route, response.status, await response.json()]).toEqual([route, 404, expect.objectContaining({ code: 'workspace_not_found' })])
  }
  expect(await app.get('/workspaces')).toMatchObject({ rows: [{ exists: false }] })
  await rename(`${store}.old`, store)
  expect(await app.get('/workspaces')).toMatchObject({ rows: [{ exists: true }] })
  await rm(outside, { recursive: true })
})

test('S1: of what the same user has opened elsewhere nothing is told, and no job of it taken up', async () => {
  const home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
  const folders = { cache: join(home, 'cache'), config: join(home, 'config'), state: join(home, 'state') }
  const log = createLog(() => undefined)
  const recents = new Recents(folders.config, log)
  const startJob = () => ({ pid: null, cancel: () => undefined, ended: new Promise<undefined>(() => undefined) })
  const before = new Jobs(new JobFiles(folders.state), log, startJob)
  for (const path of [join(root, 'lab'), '/home/jane/private', `${root}-of-jane`]) {
    recents.add(path, path)
    before.start({ kind: 'verify', workspace: { id: path.replaceAll(/\W/g, ''), path } })
  }
  await app.close()
  app = await openTestApp(undefined, { isNetwork: true, workspaceRoot: root, folders, startJob })
  const { jobs, hub } = app.services
  const told: unknown[] = [await app.get('/workspaces'), await app.get('/jobs')]
  hub.subscribe('jobs', 0, (event) => told.push(event))
  expect(told).toMatchObject([{ recents: [{ name: join(root, 'lab') }] }, { total: 1 }, { type: 'snapshot', seq: 3 }, { seq: 1 }])
  expect(JSON.stringify(told)).not.toContain('jane')
  expect(jobs.abandoned().map((job) => job.workspace_path)).toEqual([join(root, 'lab')])
  for (const { job_id, workspace_path } of before.list()) {
    expect((await app.request(`/jobs/${job_id}`)).status).toBe(workspace_path.includes('jane') ? 404 : 200)
  }
  await rm(home, { recursive: true })
})

test('S1: who holds a store is named without the path of its program', async () => {
  const path = join(root, 'held')
  await rename(await copyDemo(), path)
  await mkdir(join(root, 'project'))
  await symlink(path, join(root, 'project', 'workspace'))
  const writer = await startWriter(join(path, 'store.duckdb'))
  expect((await app.post('/workspaces', { path: 'project' })).status).toBe(201)
  const refused = await app.request('/workspace/stats')
  const text = await refused.text()
  expect([refused.status, JSON.parse(text).locked_by.pid]).toEqual([423, writer.pid])
  expect(text).not.toContain(process.execPath)
  await vi.waitFor(async () => {
    const listed = await (await app.request('/workspaces')).text()
    expect(JSON.parse(listed).rows[0].catalog.detail).toContain(String(writer.pid))
    expect(listed).not.toContain(process.execPath)
  }, 120_000)
  const job = await app.post('/workspace/migrate', { dry_run: false })
  const answer = await job.text()
  expect([job.status, JSON.parse(answer)]).toEqual([423, expect.objectContaining({ code: 'store_locked' })])
  expect(JSON.parse(answer).locked_by.pid).toBe(writer.pid)
  expect(answer).not.toContain(process.execPath)
  await writer.release()
})
