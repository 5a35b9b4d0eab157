import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Job, MigrateStatus, MigrationPlan, ServerEvent, StorageStatus, WorkspaceStats } from '@nirs-workspace/types'
import { MigrationReport } from '@nirs-workspace/types'
import { afterAll, afterEach, expect, test } from 'vitest'
import { startJobProcess } from '../src/jobs/job-process.ts'
import { createLog } from '../src/log.ts'
import { listen } from '../src/testing/listen.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { startTestServer, type TestServer } from '../src/testing/test-server.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})
afterAll(removeCopies)

const openApp = async (path: string): Promise<TestApp> => {
  const app = await openTestApp(path)
  opened.push(app)
  return app
}

/** Starts a job over HTTP and waits for its end. */
const finishJob = async (app: TestApp, path: string, body: object): Promise<Job> => {
  const response = await app.post(path, body)
  expect(response.status).toBe(202)
  const { job_id } = (await response.json()) as { job_id: string }
  await app.services.jobs.whenEnded(job_id)
  return (await app.get(`/jobs/${job_id}`)) as Job
}

const migrate = (app: TestApp) => finishJob(app, '/workspace/migrate', { dry_run: false })

test('test_storage_status_legacy: a legacy store is told as such', async () => {
  const app = await openApp(await copyDemo())
  expect((await app.get('/workspace/storage-status')) as StorageStatus).toMatchObject({
    storage_mode: 'legacy',
    has_prediction_arrays_table: true,
    has_arrays_directory: false,
    migration_needed: true,
    rescue_needed: false,
    locked_by: null,
    interrupted_job: null,
  })
})

test('test_migrate_endpoint_dry_run: answers the plan and changes nothing', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  const app = await openApp(path)
  const response = await app.post('/workspace/migrate', { dry_run: true })
  expect(response.status).toBe(200)
  const plan = (await response.json()) as MigrationPlan
  expect(plan.dry_run).toBe(true)
  expect(plan.total_rows).toBeGreaterThan(0)
  expect(JSON.stringify(plan)).not.toMatch(/migrated"|passed/)
  expect(treeHash(path)).toBe(before)
  expect(app.services.jobs.list()).toEqual([])
})

test('test_migrate_endpoint_full, test_storage_status_migrated, test_workspace_stats_includes_arrays: migrate, look, roll back', async () => {
  const app = await openApp(await copyDemo())
  const before = await app.get('/predictions?limit=50&sort=prediction_id:asc')
  const job = await migrate(app)
  expect(job).toMatchObject({ kind: 'migrate', state: 'completed', error: null, progress: { phase: 'done', fraction: 1 } })
  const report = MigrationReport.parse(job.report)
  expect(report).toMatchObject({ verification_passed: true, verification_mismatches: 0, errors: [] })
  expect(report.rows_migrated).toBe(report.total_rows)

  expect((await app.get('/workspace/storage-status')) as StorageStatus).toMatchObject({
    storage_mode: 'migrated',
    has_prediction_arrays_table: false,
    has_arrays_directory: true,
    migration_needed: false,
  })
  const stats = (await app.get('/workspace/stats')) as WorkspaceStats
  const arrays = stats.space_usage.find(({ category }) => category === 'Prediction arrays')
  expect(arrays?.bytes).toBeGreaterThan(0)
  expect(stats.parquet_arrays_size_bytes).toBeGreaterThan(0)
  expect(await app.get('/predictions?limit=50&sort=prediction_id:asc')).toEqual(before)
  expect((await app.get('/workspace/migrate/status')) as MigrateStatus).toMatchObject({
    migration_needed: false,
    can_roll_back: true,
    running_job_id: null,
  })

  const back = await finishJob(app, '/workspace/migrate/rollback', {})
  expect(back).toMatchObject({ kind: 'rollback', state: 'completed' })
  expect((await app.get('/workspace/storage-status')) as StorageStatus).toMatchObject({ storage_mode: 'legacy' })
})

test('arrays and scatter are the same before and after a migration, also for a page that still has the old catalog', async () => {
  const app = await openApp(await copyDemo())
  const page = (await app.get('/predictions?limit=3&has_arrays=true')) as { rows: { prediction_id: string }[] }
  const look = () =>
    Promise.all(page.rows.flatMap(({ prediction_id: id }) => [app.get(`/predictions/${id}/arrays`), app.get(`/predictions/${id}/scatter`)]))
  const before = await look()
  await migrate(app)
  expect(await look()).toEqual(before)
})

test('a second job on the same workspace is refused, naming the one at work', async () => {
  const app = await openApp(await copyDemo())
  const first = (await (await app.post('/workspace/migrate', {})).json()) as { job_id: string }
  const second = await app.post('/workspace/migrate', {})
  expect(second.status).toBe(409)
  expect(await second.json()).toMatchObject({ code: 'workspace_busy', job_id: first.job_id })
  expect((await app.services.jobs.whenEnded(first.job_id)).state).toBe('completed')
})

test('a stale plan and a read-only server are refused before anything happens', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  const app = await openApp(path)
  const plan = (await (await app.post('/workspace/migrate', { dry_run: true })).json()) as MigrationPlan
  for (const plan_id of ['', 'x', 'made-from-another-state', `${'0'.repeat(32)}-${'0'.repeat(16)}`, plan.plan_id.slice(0, 40)]) {
    const refused = await app.post('/workspace/migrate', { plan_id })
    expect([refused.status, await refused.json()]).toEqual([409, expect.objectContaining({ code: 'plan_stale' })])
  }
  expect(app.services.jobs.list()).toEqual([])
  const readOnly = await openTestApp(path, { readOnly: true })
  opened.push(readOnly)
  expect(await (await readOnly.post('/workspace/migrate', {})).json()).toMatchObject({ code: 'read_only', status: 403 })
  expect((await readOnly.post('/workspace/migrate', { dry_run: true })).status).toBe(200)
  expect(treeHash(path).replaceAll(/^\.nirs-workspace.*\n/gm, '')).toBe(before)
})

test('test_migrate_websocket_events: started, progress, exactly one end; a late listener is told the same without past progress', async () => {
  const server: TestServer = await startTestServer({ startJob: startJobProcess })
  opened.push(server)
  const workspace = await server.services.workspaces.open(await copyDemo())
  const live = await listen(server, 'jobs')
  opened.push(live)
  const response = await fetch(`http://127.0.0.1:${server.port}/api/workspace/migrate?workspace=${workspace.id}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: '{"dry_run":false}',
  })
  const { job_id } = (await response.json()) as { job_id: string }
  await live.until((event) => event.type === 'maintenance_completed')
  const types = live.events.map((event) => event.type)
  expect(types[0]).toBe('snapshot')
  expect(types[1]).toBe('maintenance_started')
  const staging = live.events.flatMap(({ data }) => ('progress' in data && data.progress.phase === 'stage' ? [data.cancellable] : []))
  expect(new Set(staging)).toEqual(new Set([true]))
  const ends = (events: ServerEvent[]) => events.filter(({ type }) => /completed|failed|cancelled/.test(type))
  expect(ends(live.events)).toHaveLength(1)
  expect(live.events.slice(1).map(({ seq }) => seq)).toEqual(live.events.slice(1).map((_event, index) => index + 1))

  const late = await listen(server, `job:${job_id}`, 0)
  opened.push(late)
  await late.until((event) => event.type === 'maintenance_completed')
  expect(late.events[0]).toMatchObject({ type: 'snapshot', data: { jobs: [{ job_id, state: 'completed' }] } })
  const phaseOf = ({ type, data }: ServerEvent) => (type === 'maintenance_progress' ? data.progress.phase : type)
  const isLastOfPhase = (event: ServerEvent, index: number, all: ServerEvent[]) =>
    !all.slice(index + 1).some((later) => phaseOf(later) === phaseOf(event))
  expect(late.events.slice(1).map(({ seq }) => seq)).toEqual(
    live.events
      .slice(1)
      .filter(isLastOfPhase)
      .map(({ seq }) => seq),
  )
})

test('a job whose end cannot be noted has done what it has done, and says so', async () => {
  const path = await copyDemo()
  const occupied = `${path}.jobs`
  await writeFile(occupied, 'where the folder of jobs should be')
  const lines: string[] = []
  const { ended } = startJobProcess(
    {
      type: 'run',
      kind: 'verify',
      recover: false,
      job_id: 'unnoted',
      path,
      folder: join(occupied, 'unnoted'),
      plan_id: null,
      batch_size: null,
      depth: 'quick',
      force: false,
    },
    () => undefined,
    createLog((line) => lines.push(line)),
  )
  expect(await ended).toMatchObject({ state: 'completed', error: null })
  expect(lines.join('')).toContain('could not be noted')
})
