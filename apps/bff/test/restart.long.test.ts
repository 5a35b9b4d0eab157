import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Job, StorageStatus } from '@nirs-workspace/types'
import { afterAll, expect, test, vi } from 'vitest'
import { serveCli } from '../src/testing/run-cli.ts'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'

const home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
  await removeCopies()
})

const post = { method: 'POST', body: '{}' }

test('a server that is killed in mid-migration is started again: the job has one end, the workspace is whole, the next migration succeeds', async () => {
  const path = await copyDemo()
  const first = await serveCli([path], home)
  const { job_id } = (await (await first.request('/workspace/migrate', post)).json()) as { job_id: string }
  await first.end('SIGKILL')

  const looking = await serveCli([path, '--read-only'], home)
  const shown = async () => (await looking.request('/predictions')).status
  await vi.waitFor(async () => expect(await shown()).toBe(200), { timeout: 120_000, interval: 200 })
  expect(((await (await looking.request(`/jobs/${job_id}`)).json()) as Job).ended_at).not.toBeNull()
  await looking.end('SIGTERM')

  const second = await serveCli([path], home)
  const jobOf = async () => (await (await second.request(`/jobs/${job_id}`)).json()) as Job
  await vi.waitFor(async () => expect(['completed', 'interrupted', 'cancelled', 'failed']).toContain((await jobOf()).state), {
    timeout: 120_000,
    interval: 200,
  })
  const status = (await (await second.request('/workspace/storage-status')).json()) as StorageStatus
  expect(status.interrupted_job).toBeNull()
  const { state } = await jobOf()
  expect(status.storage_mode).toBe(state === 'completed' ? 'migrated' : 'legacy')
  if (state !== 'completed') {
    const next = (await (await second.request('/workspace/migrate', post)).json()) as { job_id: string }
    const done = async () => ((await (await second.request(`/jobs/${next.job_id}`)).json()) as Job).state
    await vi.waitFor(async () => expect(await done()).toBe('completed'), { timeout: 120_000, interval: 200 })
  }
  expect(await second.end('SIGTERM')).toBe(0)
})

test('what a job of any kind has left is put in order when the workspace is opened', async () => {
  const path = await copyDemo()
  const journal = join(path, '.nirs-workspace', 'journal.json')
  const left = {
    format: 'nirs-workspace/journal/1',
    kind: 'vacuum',
    job_id: 'left',
    phase: 'prepare',
    started_at: '2026-01-01T00:00:00.000Z',
  }
  await mkdir(dirname(journal), { recursive: true })
  await writeFile(journal, JSON.stringify(left))
  const server = await serveCli([path], home)
  const jobOf = async () => (await (await server.request('/jobs/left')).json()) as Job
  await vi.waitFor(async () => expect(await jobOf()).toMatchObject({ kind: 'recover', state: 'completed' }), {
    timeout: 120_000,
    interval: 200,
  })
  expect(existsSync(journal)).toBe(false)
  // And what is left while it is open, under a name that is known by now: as a job of its own.
  await mkdir(dirname(journal), { recursive: true })
  await writeFile(journal, JSON.stringify(left))
  const jobsOf = async () => ((await (await server.request('/jobs')).json()) as { rows: Job[] }).rows
  await vi.waitFor(
    async () => expect((await jobsOf()).filter(({ kind, state }) => kind === 'recover' && state === 'completed')).toHaveLength(2),
    {
      timeout: 120_000,
      interval: 200,
    },
  )
  expect([existsSync(journal), (await jobOf()).state]).toEqual([false, 'completed'])
  expect(await server.end('SIGTERM')).toBe(0)
})

test('a server that is told to stop in mid-migration tells the job, and leaves the workspace whole', async () => {
  const path = await copyDemo()
  const first = await serveCli([path], home)
  const { job_id } = (await (await first.request('/workspace/migrate', post)).json()) as { job_id: string }
  expect(await first.end('SIGTERM')).toBe(0)
  const second = await serveCli([path], home)
  const { state } = (await (await second.request(`/jobs/${job_id}`)).json()) as Job
  expect(['cancelled', 'completed']).toContain(state)
  const status = (await (await second.request('/workspace/storage-status')).json()) as StorageStatus
  expect(status).toMatchObject({ interrupted_job: null, storage_mode: state === 'completed' ? 'migrated' : 'legacy' })
  expect(await second.end('SIGTERM')).toBe(0)
})

test('a server that is told to stop does not wait for a listener that never answers', async () => {
  const server = await serveCli([await copyDemo()], home)
  const socket = connect({ host: '127.0.0.1', port: server.port }).on('error', () => undefined)
  const head = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  const own = [`Host: 127.0.0.1:${server.port}`, `Authorization: Bearer ${server.token}`]
  socket.write(`GET /api/ws HTTP/1.1\r\n${[...own, ...head].join('\r\n')}\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toContain('101')
  const gone = once(socket, 'close')
  expect(await server.end('SIGTERM')).toBe(0)
  await gone
})
