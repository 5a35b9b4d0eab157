import { spawn } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobProgress } from '@nirs-workspace/types'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { JobOutcome, JobRequest } from '../children/job-messages.ts'
import { EventHub } from '../events/event-hub.ts'
import { createLog } from '../log.ts'
import { tellAll } from '../server/telling.ts'
import { JobFiles } from './job-files.ts'
import { Jobs } from './jobs.ts'
import { recoverJobs } from './recover-jobs.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-jobs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Started {
  request: JobRequest
  cancelled: boolean
  progress: (progress: JobProgress) => void
  end: (outcome: JobOutcome | undefined) => void
}

/** Jobs whose processes are played by the test. */
const makeJobs = (pid: number | null = null) => {
  const started: Started[] = []
  const jobs = new Jobs(
    new JobFiles(folder),
    createLog(() => undefined),
    (request, progress) => {
      const { promise, resolve } = Promise.withResolvers<JobOutcome | undefined>()
      const entry: Started = { request, cancelled: false, progress, end: resolve }
      started.push(entry)
      return {
        pid,
        ended: promise,
        cancel: () => {
          entry.cancelled = true
        },
      }
    },
  )
  return { jobs, started }
}

const silent = createLog(() => undefined)
const workspace = { id: 'abc', path: '/data/abc' }
const completed: JobOutcome = { state: 'completed', report: { rows: 3 }, error: null }
const step = (fraction: number): JobProgress => ({
  phase: 'stage',
  message: '',
  fraction,
  done_rows: 0,
  total_rows: 0,
  done_bytes: 0,
  total_bytes: 0,
  rows_per_second: null,
  eta_seconds: null,
  dataset_name: null,
  datasets: [],
})
/** As if the server that began a job had died. */
const serverGone = async (id: string) => {
  const events = join(folder, 'jobs', id, 'events.ndjson')
  const record = JSON.parse(await readFile(events, 'utf8'))
  await writeFile(events, `${JSON.stringify({ ...record, server: { ...record.server, pid: 2 ** 22 + 1 } })}\n`)
}
const numbers = (jobs: Jobs, id: string) => jobs.records(id).map(({ seq }) => seq)
const types = (jobs: Jobs, id: string) => jobs.records(id).map(({ type }) => type)

describe('a job', () => {
  test('starts, reports and ends once, numbered without gaps', async () => {
    const { jobs, started } = makeJobs()
    const { job_id } = jobs.start({ kind: 'migrate', workspace })
    started[0]?.progress(step(0.5))
    started[0]?.end(completed)
    expect(await jobs.whenEnded(job_id)).toMatchObject({
      state: 'completed',
      report: { rows: 3 },
      progress: { fraction: 1, phase: 'done' },
    })
    started[0]?.progress(step(0.9))
    jobs.finish(job_id, { ...completed, state: 'failed' })
    expect(types(jobs, job_id)).toEqual(['maintenance_started', 'maintenance_progress', 'maintenance_completed'])
    expect(jobs.records(job_id).map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test('keeps of its past progress the last of each phase, and writes little more than that', async () => {
    const { jobs, started } = makeJobs(process.pid)
    const { job_id } = jobs.start({ kind: 'migrate', workspace })
    const follower = makeJobs().jobs
    for (let index = 1; index <= 600; index += 1) started[0]?.progress({ ...step(index / 1000), phase: index > 300 ? 'verify' : 'stage' })
    expect(numbers(jobs, job_id)).toEqual([1, 301, 601])
    const written = async () => (await readFile(join(folder, 'jobs', job_id, 'events.ndjson'), 'utf8')).trim().split('\n').length
    expect(await written()).toBeLessThan(210)
    expect([makeJobs().jobs, follower].map((others) => [others.catchUp(job_id), numbers(others, job_id)])).toEqual([
      [false, [1, 301, 601]],
      [true, [1, 301, 601]],
    ])
    started[0]?.end(completed)
    await jobs.whenEnded(job_id)
    expect([numbers(makeJobs().jobs, job_id), await written()]).toEqual([[1, 301, 601, 602], 4])
  })

  test('whose end was told is put in order later by a job of its own, which keeps others out', async () => {
    const { jobs, started } = makeJobs()
    const { job_id } = jobs.start({ kind: 'migrate', workspace })
    started[0]?.end({ ...completed, state: 'interrupted' })
    await jobs.whenEnded(job_id)
    const later = jobs.start({ kind: 'migrate', workspace, recoverId: job_id })
    expect(later).toMatchObject({ kind: 'recover', state: 'running', cancellable: false })
    expect([later.job_id === job_id, jobs.runningOn(workspace.path)?.job_id]).toEqual([false, later.job_id])
    started[1]?.progress(step(0.5))
    started[1]?.end({ ...completed, report: null })
    expect(await jobs.whenEnded(later.job_id)).toMatchObject({ state: 'completed' })
    expect(types(jobs, later.job_id).at(-1)).toBe('maintenance_completed')
    expect(jobs.get(job_id).state).toBe('interrupted')
  })

  test('is told to stop, and can do so until its commit', async () => {
    const { jobs, started } = makeJobs()
    const { job_id } = jobs.start({ kind: 'migrate', workspace })
    expect(jobs.get(job_id).cancellable).toBe(true)
    const told: unknown[] = []
    new EventHub(jobs, tellAll).subscribe('jobs', undefined, ({ data }) => told.push('cancellable' in data && data.cancellable))
    // A process may look for what another one left before it begins.
    for (const phase of ['recover', 'plan', 'stage', 'report', 'commit', 'done'] as const) started[0]?.progress({ ...step(0.5), phase })
    expect(jobs.get(job_id).cancellable).toBe(false)
    expect(told.slice(-6)).toEqual([true, true, true, true, false, false])
    jobs.cancel(job_id)
    expect(started[0]?.cancelled).toBe(true)
    started[0]?.end({ state: 'cancelled', report: null, error: null })
    expect((await jobs.whenEnded(job_id)).state).toBe('cancelled')
    expect(types(jobs, job_id).at(-1)).toBe('maintenance_cancelled')
  })

  test('is not offered to be stopped where nothing stops it: a roll back, and what finishes or undoes an interrupted job', () => {
    const { jobs, started } = makeJobs()
    const ids = [
      jobs.start({ kind: 'rollback', workspace }).job_id,
      jobs.start({ kind: 'migrate', workspace: { id: 'x', path: '/data/x' }, recoverId: 'dead' }).job_id,
    ]
    for (const { progress } of started) progress(step(0.5))
    expect(ids.map((id) => jobs.get(id).cancellable)).toEqual([false, false])
  })

  test('whose process cannot be started has failed, and changed nothing', async () => {
    const jobs = new Jobs(new JobFiles(folder), silent, () => {
      throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' })
    })
    const { job_id } = jobs.start({ kind: 'migrate', workspace })
    expect(await jobs.whenEnded(job_id)).toMatchObject({
      state: 'failed',
      error: { detail: expect.stringContaining('Nothing was changed') },
    })
    expect(types(jobs, job_id)).toEqual(['maintenance_started', 'maintenance_failed'])
    const { job_id: left } = jobs.start({ kind: 'migrate', workspace, recoverId: 'dead' })
    expect(await jobs.whenEnded(left)).toMatchObject({ state: 'interrupted' })
  })

  test('keeps others off its workspace, and only off that', () => {
    const { jobs } = makeJobs()
    const { job_id } = jobs.start({ kind: 'migrate', workspace })
    expect(() => jobs.start({ kind: 'rollback', workspace })).toThrow(
      expect.objectContaining({ code: 'workspace_busy', fields: expect.objectContaining({ job_id }) }),
    )
    expect(jobs.start({ kind: 'verify', workspace: { id: 'x', path: '/data/x' } }).state).toBe('running')
  })

  test('whose process dies is followed by a recovery and ends as interrupted or completed, once', async () => {
    for (const [outcome, state] of [
      [{ state: 'interrupted', report: null, error: null }, 'interrupted'],
      [completed, 'completed'],
      [undefined, 'interrupted'],
    ] as const) {
      const { jobs, started } = makeJobs()
      const { job_id } = jobs.start({ kind: 'migrate', workspace: { id: state, path: `/data/${Math.random()}` } })
      const [first] = started
      first?.end(undefined)
      await Promise.resolve().then(() => undefined)
      await new Promise((resolve) => setImmediate(resolve))
      expect(started[1]?.request).toMatchObject({ recover: true, job_id })
      expect(jobs.get(job_id)).toMatchObject({ cancellable: false, progress: { phase: 'recover' } })
      started[1]?.end(outcome)
      expect((await jobs.whenEnded(job_id)).state).toBe(state)
      expect(types(jobs, job_id).filter((type) => /completed|failed|cancelled/.test(type))).toHaveLength(1)
    }
  })
})

describe('after a restart', () => {
  test('ended jobs are there, their events are replayed, and numbers go on', async () => {
    const before = makeJobs()
    const { job_id } = before.jobs.start({ kind: 'migrate', workspace })
    before.started[0]?.progress(step(0.5))
    before.started[0]?.end(completed)
    await before.jobs.whenEnded(job_id)
    const { jobs } = makeJobs()
    expect(jobs.list()).toMatchObject([{ job_id, state: 'completed', report: { rows: 3 } }])
    expect(jobs.lastSeq).toBe(3)
    const events: unknown[] = []
    new EventHub(jobs, tellAll).subscribe('jobs', 1, (event) => events.push([event.type, event.seq]))
    expect(events).toEqual([
      ['snapshot', 3],
      ['maintenance_progress', 2],
      ['maintenance_completed', 3],
    ])
    jobs.start({ kind: 'rollback', workspace })
    expect(events.at(-1)).toEqual(['maintenance_started', 4])
  })

  test('a job that was at work is found abandoned; its own last word decides how it ended', async () => {
    const { job_id } = makeJobs().jobs.start({ kind: 'migrate', workspace })
    const { jobs } = makeJobs()
    expect(jobs.abandoned()).toMatchObject([{ job_id, state: 'running' }])
    expect(jobs.readOutcome(job_id)).toBeUndefined()
    // A full disk cuts it short.
    await writeFile(join(folder, 'jobs', job_id, 'outcome.json'), JSON.stringify(completed).slice(0, 20))
    expect(jobs.readOutcome(job_id)).toBeUndefined()
    await writeFile(join(folder, 'jobs', job_id, 'outcome.json'), JSON.stringify(completed))
    const outcome = jobs.readOutcome(job_id)
    expect(outcome).toEqual(completed)
    jobs.finish(job_id, completed)
    expect(makeJobs().jobs.list()).toMatchObject([{ job_id, state: 'completed' }])
  })

  test('a job that another server runs is watched, not touched, and ends as that one says', async () => {
    const first = makeJobs(process.pid)
    const { job_id } = first.jobs.start({ kind: 'migrate', workspace })
    const second = makeJobs()
    const heard: unknown[] = []
    second.jobs.onEvent(({ seq, type }) => heard.push([seq, type]))
    const recovered = recoverJobs(second.jobs, silent)
    first.started[0]?.progress(step(0.5))
    await vi.waitFor(() => expect(second.jobs.get(job_id).progress.fraction).toBe(0.5), 120_000)
    expect(second.jobs.runningOn(workspace.path)?.job_id).toBe(job_id)
    expect([first.jobs.get(job_id).cancellable, second.jobs.get(job_id).cancellable]).toEqual([true, false])
    await writeFile(join(folder, 'jobs', job_id, 'outcome.json'), JSON.stringify(completed))
    await vi.waitFor(() => expect(second.jobs.records(job_id)).toHaveLength(2), 120_000)
    first.started[0]?.end(completed)
    await recovered
    expect(second.jobs.get(job_id)).toMatchObject({ state: 'completed', report: { rows: 3 } })
    expect(second.started).toEqual([])
    expect(heard).toEqual([
      [2, 'maintenance_progress'],
      [3, 'maintenance_completed'],
    ])
    expect(makeJobs().jobs.records(job_id)).toEqual(first.jobs.records(job_id))
  })

  test('a job of another server cannot be stopped here, and that is said, with the place where it can', () => {
    const { job_id } = makeJobs(process.pid).jobs.start({ kind: 'migrate', workspace })
    const { jobs } = makeJobs()
    expect([jobs.get(job_id).cancellable, jobs.records(job_id).at(-1)?.job.cancellable]).toEqual([false, false])
    expect(() => jobs.cancel(job_id)).toThrow(
      expect.objectContaining({ code: 'invalid_transition', message: expect.stringContaining(`process ${process.pid} on `) }),
    )
    jobs.finish(job_id, completed)
    expect(jobs.cancel(job_id).state).toBe('completed')
  })

  test('a job outlives its server as long as its process lives, which is more than its id', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    try {
      const { job_id } = makeJobs(child.pid).jobs.start({ kind: 'migrate', workspace })
      const events = join(folder, 'jobs', job_id, 'events.ndjson')
      const record = JSON.parse(await readFile(events, 'utf8'))
      const write = (over: object) =>
        writeFile(events, `${JSON.stringify({ ...record, server: { ...record.server, pid: 2 ** 22 + 1 }, ...over })}\n`)
      await write({ process: { ...record.process, started: 'another start' } })
      const reused = makeJobs()
      await recoverJobs(reused.jobs, silent)
      expect(reused.started).toMatchObject([{ request: { recover: true, job_id } }])
      await write({})
      const second = makeJobs()
      const recovered = recoverJobs(second.jobs, silent)
      expect(await Promise.race([recovered, sleep(1000, 'waits')])).toBe('waits')
      expect(second.started).toEqual([])
      child.kill('SIGKILL')
      await recovered
      expect(second.started).toMatchObject([{ request: { recover: true, job_id } }])
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('a server that changes nothing says how a job ended, leaving one without a last word to a server that may see to it', async () => {
    const outlived = makeJobs().jobs.start({ kind: 'migrate', workspace })
    const died = makeJobs().jobs.start({ kind: 'rollback', workspace: { id: 'x', path: '/data/x' } })
    await writeFile(join(folder, 'jobs', outlived.job_id, 'outcome.json'), JSON.stringify(completed))
    for (const { job_id } of [outlived, died]) await serverGone(job_id)
    const { jobs, started } = makeJobs()
    await recoverJobs(jobs, silent, { readOnly: true })
    expect(jobs.get(outlived.job_id)).toMatchObject({ state: 'completed', report: { rows: 3 } })
    expect(jobs.get(died.job_id)).toMatchObject({ state: 'interrupted', error: { code: 'interrupted' } })
    expect([jobs.runningOn(workspace.path), jobs.runningOn('/data/x'), started]).toEqual([undefined, undefined, []])
    const next = makeJobs()
    expect(next.jobs.abandoned()).toMatchObject([{ job_id: died.job_id }])
    await recoverJobs(next.jobs, silent)
    expect(next.started).toMatchObject([{ request: { recover: true, job_id: died.job_id } }])
  })

  test('of jobs on one workspace that died together each is brought to its end, one after the other', async () => {
    const servers = [makeJobs(), makeJobs()]
    const [migration, verification] = (['migrate', 'verify'] as const).map(
      (kind, at) => servers[at]?.jobs.start({ kind, workspace }).job_id ?? '',
    )
    for (const id of [migration, verification]) await serverGone(id ?? '')
    const { jobs, started } = makeJobs()
    const recovered = recoverJobs(jobs, silent)
    for (const count of [1, 2]) {
      await vi.waitFor(() => expect(started).toHaveLength(count), 120_000)
      expect(jobs.runningOn(workspace.path)).toBeDefined()
      started.at(-1)?.end(completed)
    }
    await recovered
    await vi.waitFor(() => expect(jobs.runningOn(workspace.path)).toBeUndefined(), 120_000)
    expect(started.map(({ request }) => request.job_id).toSorted()).toEqual([migration, verification].toSorted())
  })

  test('a file of very many events, as earlier versions wrote them, is read', async () => {
    const { job_id } = makeJobs().jobs.start({ kind: 'verify', workspace })
    const events = join(folder, 'jobs', job_id, 'events.ndjson')
    const [line = ''] = (await readFile(events, 'utf8')).split('\n')
    const at = (seq: number) => line.replace('"seq":1,"jobs_seq":1', `"seq":${seq},"jobs_seq":${seq}`).replace('_started', '_progress')
    await appendFile(events, Array.from({ length: 5000 }, (_, index) => `${at(index + 2)}\n`).join(''))
    const { jobs } = makeJobs()
    expect([numbers(jobs, job_id), jobs.lastSeq]).toEqual([[1, 5001], 5001])
  })

  test('a line that a power cut left half written is passed over and written after', async () => {
    const { job_id } = makeJobs().jobs.start({ kind: 'migrate', workspace })
    await appendFile(join(folder, 'jobs', job_id, 'events.ndjson'), '{"seq":2,"jobs_')
    const { jobs } = makeJobs()
    expect(jobs.records(job_id)).toHaveLength(1)
    jobs.finish(job_id, completed)
    expect(types(makeJobs().jobs, job_id)).toEqual(['maintenance_started', 'maintenance_completed'])
  })
})
