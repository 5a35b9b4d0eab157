import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type * as Disk from 'node:fs/promises'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test, vi } from 'vitest'
import { exportRun } from '../bundles/export-run.ts'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { readCatalogMeta } from '../catalog/read-info.ts'
import { narrowFilter } from '../portable/narrow-filter.ts'
import { Predictions } from '../portable/predictions.ts'
import { listPredictions } from '../predictions/list.ts'
import { getRun } from '../runs/get.ts'
import { readRunHeads } from '../runs/run-heads.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { openSqlite } from './open-sqlite.ts'
import { asNumber } from './read-table.ts'

/** What takes the place of copying the log of a store. */
const copying = vi.hoisted(() => ({ log: null as ((log: string, target: string) => Promise<void>) | null }))
vi.mock('node:fs/promises', async (load) => {
  const disk = await load<typeof Disk>()
  const copyFile: typeof disk.copyFile = (from, to, mode) =>
    copying.log !== null && String(from).endsWith('-wal') ? copying.log(String(from), String(to)) : disk.copyFile(from, to, mode)
  return { ...disk, copyFile }
})

const schema = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE runs (run_id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE pipelines (pipeline_id TEXT PRIMARY KEY, run_id TEXT, name TEXT, dataset_name TEXT);
  CREATE TABLE predictions (prediction_id TEXT PRIMARY KEY, pipeline_id TEXT, dataset_name TEXT, fold_id TEXT, val_score REAL, n_samples INTEGER, scores TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
  INSERT INTO runs (run_id, name) VALUES ('run-1', 'Morning screen');
  INSERT INTO pipelines VALUES ('p-1', 'run-1', 'screen', 'wheat');
  INSERT INTO predictions VALUES ('a', 'p-1', 'wheat', '0', 'not a number', 3, '{"rmse": NaN}', '2026-02-19 10:00:00');`

const makeSqlite = (path: string, more = ''): void => {
  const database = new DatabaseSync(path)
  database.exec(schema + more)
  database.close()
}

const catalogOf = async (folder: string, cacheFolder: string) =>
  openCatalog(await buildCatalog(await resolveWorkspace(folder), { cacheFolder }))

test('a database in WAL mode is read without a -wal or -shm file appearing', async () => {
  await using folder = await temporaryFolder()
  makeSqlite(join(folder.path, 'store.sqlite'))
  const before = await hashTree(folder.path)
  const store = await openSqlite(join(folder.path, 'store.sqlite'))
  expect(store.database.prepare('SELECT name FROM runs').all()).toEqual([{ name: 'Morning screen' }])
  expect(await readdir(folder.path)).toEqual(['store.sqlite'])
  await store.close()
  expect(await hashTree(folder.path)).toBe(before)
})

test('rows that are only in a live log are read, from a copy; the log stays as it is', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'store.sqlite')
  makeSqlite(path)
  const writer = `
    const { DatabaseSync } = require('node:sqlite')
    const database = new DatabaseSync(process.argv[1])
    database.exec("INSERT INTO runs (run_id, name) VALUES ('run-2', 'Night screen')")
    process.stdout.write('written')
    setInterval(() => database, 1000)`
  const child = spawn(process.execPath, ['-e', writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const before = await hashTree(folder.path)
  const store = await openSqlite(path)
  expect(store.database.prepare('SELECT name FROM runs ORDER BY name').all()).toEqual([
    { name: 'Morning screen' },
    { name: 'Night screen' },
  ])
  await store.close()
  expect(await hashTree(folder.path)).toBe(before)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = await openSqlite(path)
  expect(left.database.prepare('SELECT count(*) AS n FROM runs').get()).toEqual({ n: 2 })
  await left.close()
  expect(await hashTree(folder.path)).toBe(before)
})

test('a log that is begun anew while it is copied is copied again', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'store.sqlite')
  const writer = new DatabaseSync(path)
  writer.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA page_size = 4096;
    CREATE TABLE one (n INTEGER); CREATE TABLE two (n INTEGER); CREATE TABLE large (bytes BLOB);
    INSERT INTO one VALUES (0); INSERT INTO two VALUES (0); PRAGMA wal_checkpoint(RESTART);
    UPDATE one SET n = 1; BEGIN; UPDATE one SET n = 2; UPDATE two SET n = 2; COMMIT; PRAGMA wal_checkpoint(PASSIVE)`)
  const headAndFirstFrame = 32 + 24 + 4096
  copying.log = async (log, target) => {
    copying.log = null
    const before = await readFile(log)
    writer.exec('BEGIN; UPDATE one SET n = 3; UPDATE two SET n = 3; INSERT INTO large VALUES (zeroblob(40000)); COMMIT')
    const after = await readFile(log)
    await writeFile(target, Buffer.concat([before.subarray(0, headAndFirstFrame), after.subarray(headAndFirstFrame)]))
  }
  const store = await openSqlite(path)
  expect([copying.log, store.database.prepare('SELECT one.n AS one, two.n AS two FROM one, two').get()]).toEqual([null, { one: 3, two: 3 }])
  await store.close()
  writer.close()
})

test('columns that a release lacks are null, JSON stays text, odd numbers do not hide the row', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  const more = `INSERT INTO predictions (prediction_id, fold_id, n_samples, created_at) VALUES ('b', 1152921504606846977, 1152921504606846977, '2026-02-19 09:00:00')`
  makeSqlite(join(folder.path, 'store.sqlite'), more)
  const catalog = await catalogOf(folder.path, cache.path)
  const rows = await catalog.engine.connection.runAndReadAll(
    "SELECT prediction_id, val_score, n_samples, scores, model_name, created_at_text, run_name FROM predictions WHERE dataset_name = 'wheat'",
  )
  expect(rows.getRowsJson()).toEqual([['a', null, 3, '{"rmse": NaN}', '', '2026-02-19 10:00:00', 'Morning screen']])
  const large = await catalog.engine.connection.runAndReadAll("SELECT fold_id, n_samples FROM predictions WHERE dataset_name = ''")
  expect(large.getRowsJson()).toEqual([['1152921504606846977', null]])
  expect((await readCatalogMeta(catalog.engine)).storage_status).toMatchObject({ storage_mode: 'sqlite', written_by: '0.8.4-0.8.9' })
  catalog.close()
})

/** Lists the times of all predictions, or of those from one time to another. */
const timesOf = (catalog: Catalog) => async (min?: string, max?: string) => {
  const filter = { equals: {}, ranges: { created_at: { min, max } }, q: '' }
  const { rows } = await listPredictions(catalog, { filter, sort: [], limit: 9, offset: 0 })
  return rows.map((row) => row.created_at)
}

test('times of SQLite are UTC and say so; a date with a zone filters by the moment, one without by the day as it is stored', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  const more = `INSERT INTO runs (run_id, name, created_at) VALUES ('run-2', 'New year', '2026-01-01 01:00:27');
    INSERT INTO predictions (prediction_id, dataset_name, created_at) VALUES ('b', 'wheat', '2026-02-19 23:30:00')`
  makeSqlite(join(folder.path, 'store.sqlite'), more)
  const catalog = await catalogOf(folder.path, cache.path)
  const list = timesOf(catalog)
  const [morning, evening] = ['2026-02-19T10:00:00Z', '2026-02-19T23:30:00Z']
  expect(await list()).toEqual([evening, morning])
  expect(await list('2026-02-19', '2026-02-19')).toEqual([evening, morning])
  expect(await list('2026-02-19+01:00', '2026-02-19+01:00')).toEqual([morning])
  expect(await list('2026-02-20T00:30+01:00')).toEqual([evening])
  expect(await list(undefined, '2026-02-19T05:00:00-05:00')).toEqual([morning])
  expect(await list('2026-02-19T23:00', '9999-12-31-01:00')).toEqual([evening])
  const tight = { equals: {}, ranges: { created_at: { min: '2026-02-19T23:30:01Z' } }, q: '' }
  const loose = { equals: {}, ranges: { created_at: { min: '2026-02-20T00:15+01:00' } }, q: '' }
  for (const filter of [narrowFilter(tight, loose), narrowFilter(loose, tight)]) {
    expect((await listPredictions(catalog, { filter, sort: [], limit: 9, offset: 0 })).rows).toEqual([])
  }
  expect((await readRunHeads(catalog)).at(-1)?.created_at).toBe('2026-01-01T01:00:27Z')
  expect((await getRun(catalog, 'run-2')).created_at).toBe('2026-01-01T01:00:27Z')
  catalog.close()
})

test('times that nirs4all has taken over from a store.duckdb are local: no Z, and filtered by the clock that wrote them', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  const more = `INSERT INTO runs (run_id, name, created_at) VALUES ('run-2', 'Taken over', '2026-01-01 01:00:27.058062');
    INSERT INTO predictions (prediction_id, dataset_name, created_at) VALUES ('b', 'wheat', '2026-02-19 10:00:00.058062'), ('c', 'wheat', NULL)`
  makeSqlite(join(folder.path, 'store.sqlite'), more)
  const catalog = await catalogOf(folder.path, cache.path)
  const list = timesOf(catalog)
  const [utc, local] = ['2026-02-19T10:00:00Z', '2026-02-19T10:00:00.058062']
  expect(await list()).toEqual([local, utc, null])
  expect(await list('2026-02-19T10:00')).toEqual([local, utc])
  expect(await list('2026-02-19T10:00+01:00', '2026-02-19T10:30+01:00')).toEqual([local])
  expect(await list('2026-02-19T11:00+01:00')).toEqual([utc])
  expect((await getRun(catalog, 'run-2')).created_at).toBe('2026-01-01T01:00:27.058062')
  catalog.close()
  await using predictions = await Predictions.open(folder.path, { cacheFolder: cache.path })
  const table = await predictions.toArrow()
  expect([...(table.getChild('created_at') ?? [])]).toEqual([local, utc, null].map((time) => time?.replace('T', ' ') ?? null))
  const resolved = await resolveWorkspace(folder.path)
  const yaml = (id: string) => exportRun({ resolved, catalog }, id)
  expect(await yaml('run-2')).toContain('created_at: "2026-01-01 01:00:27.058062"')
  expect(await yaml('run-1')).toMatch(/created_at: "\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"/)
})

test('predictions of one second lie by chain, fold and partition', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  const rows = [
    ['1', 'chain-b', '0', 'val'],
    ['2', 'chain-a', '10', 'val'],
    ['3', 'chain-a', '2', 'val'],
    ['4', 'chain-b', '0', 'test'],
    ['5', 'chain-a', 'avg', 'val'],
    ['6', 'chain-a', '2', 'test'],
  ].map(([id, chain, fold, part]) => `('${id}', 'rye', '${chain}', '${fold}', '${part}', '2026-02-19 11:00:00')`)
  const more = `ALTER TABLE predictions ADD COLUMN chain_id TEXT; ALTER TABLE predictions ADD COLUMN "partition" TEXT; DELETE FROM predictions;
    INSERT INTO predictions (prediction_id, dataset_name, chain_id, fold_id, "partition", created_at) VALUES ${rows.join(', ')}`
  makeSqlite(join(folder.path, 'store.sqlite'), more)
  const catalog = await catalogOf(folder.path, cache.path)
  const page = await listPredictions(catalog, { filter: { equals: {}, ranges: {}, q: '' }, sort: [], limit: 9, offset: 0 })
  expect(page.rows.map((row) => row.prediction_id).join('')).toBe('632541')
  catalog.close()
})

test('a schema newer than this program is read as far as it is known, and said to be newer', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  makeSqlite(join(folder.path, 'store.sqlite'), 'PRAGMA user_version = 9; ALTER TABLE predictions ADD COLUMN novelty TEXT;')
  const { findings, written_by, counts } = await inspectWorkspace(folder.path, { cacheFolder: cache.path })
  expect(findings.map((finding) => finding.code)).toEqual(['missing_array_file', 'newer_schema'])
  expect(written_by).toBeNull()
  expect(counts).toMatchObject({ runs: 1, predictions: 1 })
})

test('a view in place of a table is store_unsafe', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  makeSqlite(join(folder.path, 'store.sqlite'), 'ALTER TABLE runs RENAME TO real_runs; CREATE VIEW runs AS SELECT * FROM real_runs;')
  await expect(catalogOf(folder.path, cache.path)).rejects.toMatchObject({ code: 'store_unsafe' })
})

test('text that Python wrote for a number is that number', () => {
  expect(['3.5', 'nan', '-Infinity', 'inf', '', 'x', null].map(asNumber)).toEqual([
    3.5,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    null,
    null,
    null,
  ])
})
