import { lstat, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { Journal, writeJournal } from './journal.ts'
import { readInterruption } from './read-interruption.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { layoutOf } from './workspace-layout.ts'

let scene: Awaited<ReturnType<typeof temporaryFolder>>
let [root, victim] = ['', '']
beforeAll(async () => {
  scene = await temporaryFolder()
  root = join(scene.path, 'workspace')
  victim = join(scene.path, 'victim')
  await mkdir(join(victim, 'arrays'), { recursive: true })
  for (const name of ['thesis.txt', 'manifest.json', 'part.parquet', 'outcome.json']) await writeFile(join(victim, name), 'mine')
})
beforeEach(async () => {
  await rm(root, { recursive: true, force: true })
  await mkdir(join(root, control), { recursive: true })
})
afterAll(() => scene[Symbol.asyncDispose]())

const control = '.nirs-workspace'
const mark = { bytes: 4, mtime_ns: '', sha256: '' }
const shared = { format: 'nirs-workspace/journal/1', job_id: 'job', started_at: '2026-01-01T00:00:00.000Z' }
const placed = { staged: 'arrays/.staging-job/a.parquet', target: 'arrays/a.parquet', mark, replaced: null }
const journals = {
  migrate: {
    ...shared,
    kind: 'migrate',
    phase: 'commit',
    arrays_created: false,
    original: mark,
    backup: 'store.duckdb.20260101T000000Z.bak',
    backup_wal: null,
    placed: [],
    removed: [],
  },
  rollback: { ...shared, kind: 'rollback', phase: 'commit', migration: 'one', kept: '.nirs-workspace/rolled-back-20260101T000000Z' },
  merge: {
    ...shared,
    kind: 'merge',
    phase: 'prepare',
    arrays_created: false,
    artifacts_created: false,
    placed: [],
    models: [],
    evidence: null,
    gone: [],
    trash: 'merge-job-01234567',
  },
  remove: { ...shared, kind: 'remove', phase: 'prepare', operation: 'remove-run-20260101T000000Z-01234567' },
  restore: { ...shared, kind: 'restore', phase: 'commit', operation: 'remove-run-20260101T000000Z-01234567', evidence: null },
  flush: {
    ...shared,
    kind: 'flush',
    phase: 'prepare',
    evidence: { prediction_ids: ['a'], created_at: '2026-01-01 00:00:00' },
    has_kept: false,
    without: [],
  },
  vacuum: { ...shared, kind: 'vacuum', phase: 'prepare' },
} as const
type Kind = keyof typeof journals
const kinds = ['migrate', 'rollback', 'merge', 'remove', 'restore', 'flush', 'vacuum'] as const satisfies readonly Kind[]

const leave = (journal: object) => writeFile(layoutOf(root).journal, JSON.stringify(journal))

const up = '../../../victim'
const hostile: [Kind, object][] = [
  ...kinds.map((kind): [Kind, object] => [kind, { job_id: up }]),
  ['migrate', { job_id: '..' }],
  ['migrate', { job_id: '' }],
  ['migrate', { backup: '../victim/thesis.txt' }],
  ['migrate', { backup: '/etc/hostname' }],
  ['migrate', { backup: 'store.sqlite' }],
  ['migrate', { backup_wal: '../victim/thesis.txt' }],
  ['migrate', { placed: [{ ...placed, target: 'arrays/../../victim/thesis.txt' }] }],
  ['migrate', { placed: [{ ...placed, target: 'store.duckdb' }] }],
  ['migrate', { placed: [{ ...placed, target: 'arrays/.' }] }],
  ['migrate', { placed: [{ ...placed, replaced: '../victim/thesis.txt' }] }],
  ['migrate', { removed: [{ target: 'arrays/a.parquet', replaced: '.nirs-workspace/../../victim/thesis.txt' }] }],
  ['migrate', { removed: [{ target: '../victim/new.txt', replaced: '.nirs-workspace/migrations/job/replaced/a' }] }],
  ['rollback', { migration: up }],
  ['rollback', { kept: '../victim' }],
  ['rollback', { kept: '.nirs-workspace/rolled-back-20260101T000000Z/../../../victim' }],
  ['merge', { trash: up }],
  ['merge', { placed: [{ ...placed, target: '../victim/thesis.txt' }] }],
  ['merge', { models: [{ ...placed, target: 'artifacts/../../victim/thesis.txt' }] }],
  ['merge', { placed: [{ ...placed, replaced: '/etc/hostname' }] }],
  ['remove', { operation: up }],
  ['restore', { operation: up }],
]

test.each(hostile)('a journal of kind %s with %j is refused, and nothing is touched', async (kind, change) => {
  await leave({ ...journals[kind], ...change })
  const before = await hashTree(victim)
  const refusal = { code: 'interrupted', message: expect.stringContaining(Object.keys(change).join()) }
  await expect(readInterruption(root)).rejects.toMatchObject(refusal)
  await expect(recoverWorkspace(root)).rejects.toMatchObject(refusal)
  expect(await hashTree(victim)).toBe(before)
  expect(await readdir(scene.path)).toEqual(['victim', 'workspace'])
  expect(await readdir(join(root, control))).toEqual(['journal.json'])
})

test('what jobs write is no hostile journal, and no job writes one', async () => {
  const odd = [{ ...placed, target: 'arrays/..we\\ird .parquet', replaced: '.nirs-workspace/migrations/job/replaced/..we\\ird .parquet' }]
  const models = [{ ...placed, target: 'artifacts/./aa//m.joblib' }]
  for (const journal of [...Object.values(journals), { ...journals.migrate, placed: odd }, { ...journals.merge, models }]) {
    await leave(journal)
    expect(await readInterruption(root)).toEqual({ job_id: 'job', kind: journal.kind, phase: journal.phase })
  }
  const journal = Journal.parse(journals.vacuum)
  await expect(writeJournal(layoutOf(root), { ...journal, job_id: up })).rejects.toThrow('a job id is')
})

const operation = `${control}/trash/remove-run-20260101T000000Z-01234567`
const linked: [Kind, string, object?][] = [
  ['migrate', 'arrays'],
  ['migrate', 'arrays/.staging-job'],
  ['migrate', `${control}/migrations`],
  ['migrate', `${control}/migrations/job`],
  ['migrate', `${control}/migrations/job/replaced`],
  ['rollback', `${control}/migrations/one`],
  ['rollback', `${control}/rolled-back-20260101T000000Z`],
  ['rollback', `${control}/rolled-back-20260101T000000Z/arrays`],
  ['merge', `${control}/merges`],
  ['merge', `${control}/merges/job`],
  ['merge', `${control}/trash`],
  ['merge', `${control}/trash/merge-job-01234567`],
  ['merge', 'artifacts/aa', { phase: 'commit', models: [{ ...placed, target: 'artifacts/aa/thesis.txt' }] }],
  ['remove', operation],
  ['remove', operation, { phase: 'commit' }],
  ['remove', `${operation}/artifacts`],
  ['restore', operation],
  ['flush', `${control}/flushes`],
  ['flush', `${control}/flushes/job`],
  ['remove', 'store.sqlite', { phase: 'commit' }],
  ['restore', 'store.duckdb.wal'],
]

test.each(linked)('a job of kind %s is neither finished nor undone while %s is a link', async (kind, name, change = {}) => {
  const link = join(root, name)
  await mkdir(dirname(link), { recursive: true })
  await symlink(name.startsWith('store') ? join(victim, 'thesis.txt') : victim, link)
  await leave({ ...journals[kind], ...change })
  const before = await hashTree(victim)
  await expect(recoverWorkspace(root)).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(await hashTree(victim)).toBe(before)
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await readdir(join(root, control))).toContain('journal.json')
})

test('a link in the trash is no operation of a dead job, and nothing is swept from behind arrays/', async () => {
  await writeFile(join(victim, 'arrays', '.nirs-1-01234567-0123-0123-0123-0123456789ab.part'), 'theirs')
  await mkdir(join(root, control, 'trash'))
  for (const [place, link] of [
    ['', operation],
    ['arrays', 'arrays'],
  ] as const) {
    await symlink(join(victim, place), join(root, link))
  }
  await rename(join(victim, 'manifest.json'), join(victim, 'other.json'))
  await writeFile(join(root, 'store.duckdb'), '')
  await writeFile(join(root, control, 'lock.part-dead'), '')
  const before = await hashTree(victim)
  expect(await recoverWorkspace(root)).toEqual({ recovered: false })
  expect(await hashTree(victim)).toBe(before)
  expect(await readdir(join(root, control, 'trash'))).toHaveLength(1)
})

test('no lock is put behind a .nirs-workspace that is a link', async () => {
  await rm(join(root, control), { recursive: true })
  await symlink(victim, join(root, control))
  await leave(journals.vacuum)
  const before = await hashTree(victim)
  await expect(recoverWorkspace(root)).rejects.toMatchObject({ code: 'path_not_allowed' })
  await expect(ArrayStore.open(root).deleteBatch(new Set(['a']))).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(await hashTree(victim)).toBe(before)
})
