import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { filesOf } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { mergeStores } from './merge-stores.ts'
import { planMerge } from './plan-merge.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let cacheFolder: string
beforeEach(async () => {
  folder = await temporaryFolder()
  cacheFolder = join(folder.path, 'cache')
})
afterEach(() => folder[Symbol.asyncDispose]())

/** What preview and report say in warning, which must be the same. */
const warningsOf = async (target: string, source: string): Promise<readonly string[]> => {
  const options = { cacheFolder, create: true }
  const plan = await planMerge(target, [source], options)
  const report = await mergeStores(target, [source], { ...options, jobId: 'job', planId: plan.plan_id })
  expect(report.warnings).toEqual(plan.warnings)
  return plan.warnings
}

test('a model row that leads outside artifacts/ comes without a file, in the preview and in the merge', async () => {
  const secret = join(folder.path, 'secret.txt')
  await writeFile(secret, 'secret')
  const model = (id: string, path: string) =>
    `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', '${path}', '${id}')`
  const source = join(folder.path, 'source')
  const inside = join(source, 'artifacts', 'aa', 'inside.joblib')
  const extra = [
    model('a', secret),
    model('b', '../../secret.txt'),
    model('c', inside),
    model('d', 'aa/link.joblib'),
    model('e', 'aa/gone'),
  ]
  await makeHybrid(source, { predictions: [{ id: 's' }], extra })
  await mkdir(join(source, 'artifacts', 'aa'), { recursive: true })
  await writeFile(inside, 'inside')
  await symlink(secret, join(source, 'artifacts', 'aa', 'link.joblib'))
  const target = join(folder.path, 'target')
  const odd = (path: string) => `source: the model ${path} is no regular file inside artifacts/ and was not copied.`
  expect(await warningsOf(target, source)).toEqual([odd(secret), odd('../../secret.txt'), odd(inside), odd('aa/link.joblib')])
  const rows = await queryStore(target, 'SELECT artifact_path FROM artifacts ORDER BY artifact_id')
  expect(rows.map((row) => row.artifact_path)).toEqual([secret, '../../secret.txt', inside, 'aa/link.joblib', 'aa/gone'])
  expect(Object.keys(await filesOf(target)).filter((name) => /^artifacts\/.*[^/]$/.test(name))).toEqual(['artifacts/aa/inside.joblib'])
})

test('tables and columns that no release writes are named when they hold something', async () => {
  const source = await makeHybrid(join(folder.path, 'source'), {
    predictions: [{ id: 's' }],
    extra: [
      'ALTER TABLE predictions ADD COLUMN novelty VARCHAR',
      "UPDATE predictions SET novelty = 'new'",
      'ALTER TABLE runs ADD COLUMN unused VARCHAR',
      'CREATE TABLE "my notes" AS SELECT 1 AS n',
      'CREATE TABLE blank (n INTEGER)',
    ],
  })
  expect(await warningsOf(join(folder.path, 'target'), source)).toEqual([
    'source: what no known release of nirs4all writes cannot come along and stays in the source: table my notes, column predictions.novelty.',
  ])
})

test('a newer SQLite store is merged as far as it is known, and what is not is named', async () => {
  const source = await makeHybrid(join(folder.path, 'source'), { predictions: [{ id: 's' }] })
  await convertStore(source, [
    'ALTER TABLE runs ADD COLUMN mood TEXT',
    "UPDATE runs SET mood = 'good'",
    'CREATE TABLE drift_results (drift_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT)',
    "INSERT INTO drift_results (run_id) VALUES ('run-1')",
    'PRAGMA user_version = 6',
  ])
  const target = join(folder.path, 'target')
  expect(await warningsOf(target, source)).toEqual([
    'source: store.sqlite has schema version 6; this program knows 5 and older. What it knows comes along.',
    'source: what no known release of nirs4all writes cannot come along and stays in the source: table drift_results, column runs.mood.',
  ])
  expect(await queryStore(target, 'SELECT prediction_id FROM predictions')).toEqual([{ prediction_id: 's' }])
})

test('a target made for a merge that brings nothing, or fails, is said to be there', async () => {
  const empty = await makeHybrid(join(folder.path, 'empty'), {})
  const target = join(folder.path, 'target')
  const options = { cacheFolder, create: true }
  expect(await mergeStores(target, [empty], { ...options, jobId: 'one' })).toMatchObject({ created_target: true, record_path: null })
  expect(await mergeStores(target, [empty], { ...options, jobId: 'two' })).toMatchObject({ created_target: false, record_path: null })
  const source = await makeHybrid(join(folder.path, 'source'), { predictions: [{ id: 's' }] })
  const other = join(folder.path, 'other')
  const controller = new AbortController()
  const failing = mergeStores(other, [source], {
    ...options,
    jobId: 'three',
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  await expect(failing).rejects.toMatchObject({
    code: 'cancelled',
    message: expect.stringContaining(`made for the merge stays at ${other}.`),
  })
  expect((await resolveWorkspace(other)).duckdb).toBe(join(other, 'store.duckdb'))
})
