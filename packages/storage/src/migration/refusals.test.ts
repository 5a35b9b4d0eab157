import { copyFile, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { arraysOf, faultFixture, filesOf, type Scratch } from '../testing/fault-oracle.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { changeStore, rewriteParquet, tamperBefore } from '../testing/tamper.ts'
import { vacuumWorkspace } from '../vacuum/vacuum-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { toMigrationError } from './migration-error.ts'
import { planMigration } from './plan-migration.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await faultFixture()
})
afterAll(() => scratch[Symbol.asyncDispose]())
afterEach(() => setFaultHook(undefined))

describe('a store that another program replaces under a migration', () => {
  test.each(['stage', 'report'] as const)('in the phase %s: refused, and what the other program wrote stays', async (phase) => {
    const path = await scratch.copy(`replaced-${phase}`)
    const other = await scratch.copy(`other-${phase}`)
    await withEngine({}, (engine) =>
      engine.run(`ATTACH ${quotedString(join(other, 'store.duckdb'))} AS s; UPDATE s.runs SET error = 'newer'`),
    )
    const newer = await readFile(join(other, 'store.duckdb'))
    let isReplaced = false
    const running = runMigration(path, {
      jobId: 'replaced',
      onProgress: (progress) => {
        if (progress.phase !== phase || isReplaced) return
        isReplaced = true
        // As rsync does: written beside, then renamed over.
        void copyFile(join(other, 'store.duckdb'), join(path, 'new')).then(() => rename(join(path, 'new'), join(path, 'store.duckdb')))
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'plan_stale', message: expect.stringContaining('untouched') })
    expect(await readFile(join(path, 'store.duckdb'))).toEqual(newer)
    expect((await readdir(path)).filter((name) => name.includes('.bak') || name.includes('.new') || name === 'arrays')).toEqual([])
    expect(Object.keys(await arraysOf(path)).length).toBe(3)
  })

  test('while its arrays take their places: refused, and what the other program wrote stays', async () => {
    const path = await scratch.copy('replaced-late')
    const other = await scratch.copy('other-late')
    await changeStore(join(other, 'store.duckdb'), "UPDATE runs SET error = 'newer'")
    const newer = await readFile(join(other, 'store.duckdb'))
    tamperBefore(
      ({ kind, path: to }) => kind === 'link' && /arrays\/[^/.]+\.parquet$/.test(to),
      () => rename(join(other, 'store.duckdb'), join(path, 'store.duckdb')),
    )
    await expect(runMigration(path, { jobId: 'replaced' })).rejects.toMatchObject({
      code: 'plan_stale',
      message: expect.stringContaining('arrays/ stay there'),
    })
    // What it was copied from is no longer there: the arrays that have taken their places may be needed.
    expect((await readdir(join(path, 'arrays'))).length).toBe(2)
    expect(await readFile(join(path, 'store.duckdb'))).toEqual(newer)
    expect((await readdir(path)).filter((name) => name.includes('.bak') || name.includes('.new'))).toEqual([])
  })
})

test('arrays or .nirs-workspace that are links are refused before anything is written', async () => {
  for (const name of ['arrays', '.nirs-workspace']) {
    const path = await scratch.copy(`link-${name}`)
    const elsewhere = join(scratch.path, `elsewhere-${name}`)
    await mkdir(elsewhere)
    await symlink(elsewhere, join(path, name))
    await expect(planMigration(path)).rejects.toMatchObject({ code: 'path_not_allowed' })
    await expect(runMigration(path, { jobId: 'link' })).rejects.toMatchObject({ code: 'path_not_allowed' })
    expect(await readdir(elsewhere)).toEqual([])
  }
})

test('a store that is a link is not replaced: what would be kept is the link', async () => {
  const elsewhere = await scratch.copy('linked-store-elsewhere')
  const path = await scratch.copy('linked-store')
  const store = join(path, 'store.duckdb')
  await rm(store)
  await symlink(join(elsewhere, 'store.duckdb'), store)
  const before = await hashTree(elsewhere)
  const refused = { code: 'path_not_allowed', message: 'store.duckdb is a link to another place. Nothing was changed.' }
  await expect(planMigration(path)).rejects.toMatchObject(refused)
  await expect(runMigration(path, { jobId: 'link' })).rejects.toMatchObject(refused)
  expect(await readlink(store)).toBe(join(elsewhere, 'store.duckdb'))
  expect(await hashTree(elsewhere)).toBe(before)
  await runMigration(elsewhere, { jobId: 'itself' })
  await expect(vacuumWorkspace(path)).rejects.toMatchObject(refused)
})

test('arrays that are a link by now are not rolled back', async () => {
  const path = await scratch.copy('linked-later')
  await runMigration(path, { jobId: 'one' })
  const elsewhere = join(scratch.path, 'moved-arrays')
  await rename(join(path, 'arrays'), elsewhere)
  await symlink(elsewhere, join(path, 'arrays'))
  const before = await readdir(elsewhere)
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(await readdir(elsewhere)).toEqual(before)
})

test('a journal that cannot be read stops every job', async () => {
  const path = await scratch.copy('unreadable')
  await mkdir(join(path, '.nirs-workspace'))
  await writeFile(join(path, '.nirs-workspace', 'journal.json'), '{"torn')
  const before = await filesOf(path)
  await expect(runMigration(path, { jobId: 'one' })).rejects.toMatchObject({ code: 'interrupted' })
  await expect(recoverWorkspace(path)).rejects.toMatchObject({ code: 'interrupted' })
  expect(await filesOf(path)).toEqual(before)
})

describe('columns of other types', () => {
  const withType = async (column: string, type: string, value: string) => {
    const folder = await temporaryFolder()
    const lists = {
      y_true: 'DOUBLE[]',
      y_pred: 'DOUBLE[]',
      y_proba: 'DOUBLE[]',
      sample_indices: 'INTEGER[]',
      weights: 'DOUBLE[]',
      [column]: type,
    }
    const columns = Object.entries(lists).map(([name, own]) => `${name === column ? value : 'NULL'}::${own} AS ${name}`)
    const extra = [
      `CREATE TABLE typed AS SELECT 'a' AS prediction_id, ${columns.join(', ')}`,
      'DROP TABLE prediction_arrays',
      'ALTER TABLE typed RENAME TO prediction_arrays',
    ]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }], extra })
    return folder
  }

  test.each([
    ['sample_indices', 'DOUBLE[]', '[1.5, 2.4]'],
    ['sample_indices', 'BIGINT[]', '[5000000000]'],
    ['y_pred', 'DECIMAL(38,20)[]', '[1.00000000000000000001]'],
    ['y_pred', 'HUGEINT[]', '[170141183460469231731687303715884105727]'],
    ['y_true', 'VARCHAR[]', "['one']"],
  ])('%s %s would lose digits: refused, nothing is changed', async (column, type, value) => {
    await using folder = await withType(column, type, value)
    const before = await filesOf(folder.path)
    await expect(planMigration(folder.path)).rejects.toMatchObject({ code: 'store_unsafe', message: expect.stringContaining(type) })
    await expect(runMigration(folder.path, { jobId: 'typed' })).rejects.toMatchObject({ code: 'store_unsafe' })
    expect(await filesOf(folder.path)).toEqual(before)
  })

  test.each([
    ['y_pred', 'FLOAT[]', '[0.1, 2.5]'],
    ['Y_TRUE', 'DOUBLE[]', '[0.1, 2.5]'],
  ])('%s %s comes through', async (column, type, value) => {
    await using folder = await withType(column.toLowerCase() === column ? column : 'y_true', type, value)
    if (column !== column.toLowerCase()) {
      await withEngine({}, (engine) =>
        engine.run(
          `ATTACH ${quotedString(join(folder.path, 'store.duckdb'))} AS s; ALTER TABLE s.prediction_arrays RENAME y_true TO ${column}`,
        ),
      )
    }
    const report = await runMigration(folder.path, { jobId: 'typed' })
    const file = join(folder.path, 'arrays', report.datasets[0]?.file ?? '')
    const row = await withEngine({}, (engine) =>
      engine.one(z.any(), `SELECT ${column.toLowerCase()} AS list FROM read_parquet(${quotedString(file)})`),
    )
    expect(row).toEqual({ list: type === 'FLOAT[]' ? [Math.fround(0.1), 2.5] : [0.1, 2.5] })
  })
})

test('columns that only later releases have are kept wherever their rows lie, or kept apart', async () => {
  const path = await scratch.copy('extras')
  await mkdir(join(path, 'arrays'))
  const rows = (
    id: string,
    spectrum: string,
  ) => `SELECT p.prediction_id, p.dataset_name, p.model_name, p.fold_id, p.partition, p.metric, p.val_score,
    p.task_type, a.y_true, a.y_pred, a.y_proba, NULL::INTEGER[] AS y_proba_shape, a.sample_indices, a.weights, ${spectrum}::DOUBLE[] AS spectra
    FROM s.prediction_arrays a JOIN s.predictions p USING (prediction_id) WHERE prediction_id = '${id}'`
  await withEngine({}, async (engine) => {
    await engine.run(`ATTACH ${quotedString(join(path, 'store.duckdb'))} AS s (READ_ONLY)`)
    const files = {
      'wheat.parquet': `${rows('wheat-0', '[1]')} UNION ALL ${rows('wheat-0', '[2]')} UNION ALL ${rows('wheat-1', 'NULL')}`,
      'old wheat.parquet': `${rows('wheat-1', '[3]')} UNION ALL ${rows('wheat-2', '[4]')}`,
    }
    for (const [name, sql] of Object.entries(files)) {
      await engine.run(`COPY (${sql}) TO ${quotedString(join(path, 'arrays', name))} (FORMAT parquet)`)
    }
    await engine.run('DETACH s')
  })
  const report = await runMigration(path, { jobId: 'extras' })
  await withEngine({}, async (engine) => {
    const files = [join(path, 'arrays', '*.parquet'), report.quarantine_path ?? ''].map(quotedString).join(', ')
    const found = await engine.rows(
      z.object({ spectra: z.array(z.number()) }),
      `SELECT DISTINCT spectra FROM read_parquet([${files}], union_by_name = true) WHERE spectra IS NOT NULL ORDER BY spectra`,
    )
    expect(found.map(({ spectra }) => spectra)).toEqual([[1], [2], [3], [4]])
  })
})

test('tables of other schemas and indexes of others are carried along', async () => {
  await using folder = await temporaryFolder()
  const extra = [
    'CREATE SCHEMA lab',
    "CREATE TABLE lab.notes AS SELECT 'a' AS prediction_id, 'keep me' AS note",
    'CREATE INDEX by_score ON predictions(test_score)',
    'CREATE INDEX idx_mine ON predictions(train_score)',
  ]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }], extra })
  await runMigration(folder.path, { jobId: 'one' })
  await withEngine({}, async (engine) => {
    await engine.run(`ATTACH ${quotedString(join(folder.path, 'store.duckdb'))} AS s (READ_ONLY)`)
    expect(await engine.rows(z.any(), 'SELECT * FROM s.lab.notes')).toEqual([{ prediction_id: 'a', note: 'keep me' }])
    const indexes = await engine.rows(
      z.object({ name: z.string() }),
      "SELECT index_name AS name FROM duckdb_indexes() WHERE database_name = 's'",
    )
    expect(indexes.map(({ name }) => name)).toEqual(expect.arrayContaining(['by_score', 'idx_mine']))
  })
})

test('a store that no release writes is refused with the reason, not called a mistake of the program', async () => {
  await using folder = await temporaryFolder()
  const extra = ['CREATE SEQUENCE counter', "CREATE TABLE counted(i INTEGER DEFAULT nextval('counter'))"]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }], extra })
  const before = await filesOf(folder.path)
  await expect(runMigration(folder.path, { jobId: 'enum' })).rejects.toMatchObject({
    code: 'store_unsafe',
    message: expect.stringContaining('counter'),
  })
  expect(await filesOf(folder.path)).toEqual(before)
})

test('too little space before the start is no_space, running out of it on the way write_failed', () => {
  const before = new StorageError('no_space', 'The migration needs 5 MB. Nothing was changed.')
  expect(toMigrationError(before, undefined)).toBe(before)
  const system = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(toMigrationError(system, undefined)).toMatchObject({ code: 'write_failed' })
  expect(toMigrationError(new Error('IO Error: No space left on device'), undefined)).toMatchObject({ code: 'write_failed' })
})

test('rows whose run, pipeline or chain is not there: named by check and inspection, refused by the plan and the migration', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'workspace')
  await mkdir(path)
  const loose = ['prediction_arrays', 'logs', 'predictions', 'chains', 'pipelines', 'runs']
  const change = [
    ...loose.map((table) => `CREATE TABLE kept_${table} AS SELECT * FROM ${table}`),
    ...loose.map((table) => `DROP TABLE ${table}`),
    ...loose.map((table) => `ALTER TABLE kept_${table} RENAME TO ${table}`),
    "UPDATE predictions SET pipeline_id = 'nowhere', chain_id = 'nowhere' WHERE prediction_id = 'a'",
    "UPDATE predictions SET chain_id = 'nowhere' WHERE prediction_id = 'b'",
    "UPDATE predictions SET chain_id = NULL WHERE prediction_id = 'c'",
    "UPDATE predictions SET pipeline_id = NULL WHERE prediction_id = 'd'",
    "INSERT INTO logs (log_id, pipeline_id, step_idx, event) VALUES ('l', 'nowhere', 0, 'start')",
  ]
  const predictions = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, fold: id }))
  await makeStore(join(path, 'store.duckdb'), { release: '0.7.1', predictions, extra: change })
  const before = await filesOf(path)
  const refused = {
    code: 'store_unsafe',
    message: expect.stringMatching(/1 log \(l\) and 3 predictions \(a, b, d\).*Nothing was changed\.$/),
    fields: { ids: ['l', 'a', 'b', 'd'], hint: expect.any(String) },
  }
  await expect(planMigration(path)).rejects.toMatchObject(refused)
  await expect(runMigration(path, { jobId: 'parents' })).rejects.toMatchObject(refused)
  const named = expect.objectContaining({ code: 'missing_parents', severity: 'warning', count: 4, ids: ['l', 'a', 'b', 'd'] })
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: false, findings: [named] })
  const { findings } = await inspectWorkspace(path, { cacheFolder: join(folder.path, 'cache') })
  expect(findings).toEqual([named])
  expect(await filesOf(path)).toEqual(before)
  await changeStore(join(path, 'store.duckdb'), "DELETE FROM logs; DELETE FROM predictions WHERE prediction_id IN ('a', 'b', 'd')")
  expect((await runMigration(path, { jobId: 'mended' })).rows_migrated).toBe(2)
})

test('in a store.sqlite, whose foreign keys nobody has to heed, they are named as well', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  await convertStore(folder.path, ['PRAGMA foreign_keys = OFF', "UPDATE predictions SET chain_id = 'nowhere' WHERE prediction_id = 'b'"])
  const named = expect.objectContaining({ code: 'missing_parents', count: 1, ids: ['b'] })
  expect((await verifyWorkspace(folder.path, { depth: 'quick' })).findings).toContainEqual(named)
  await using cache = await temporaryFolder()
  expect((await inspectWorkspace(folder.path, { cacheFolder: cache.path })).findings).toContainEqual(named)
})

describe('what DuckDB passes over without a word', () => {
  test('a log that it cannot read: named by the check, the inspection and the plan, and kept', async () => {
    const path = await scratch.copy('log')
    const garbage = Buffer.alloc(4096, 'garbage')
    await writeFile(join(path, 'store.duckdb.wal'), garbage)
    const unreadable = expect.objectContaining({ code: 'log_unreadable' })
    const verified = await verifyWorkspace(path, { depth: 'quick' })
    expect(verified).toMatchObject({ passed: false, findings: expect.arrayContaining([unreadable]) })
    const { findings } = await inspectWorkspace(path, { cacheFolder: join(path, '..', 'cache') })
    expect(findings).toContainEqual(unreadable)
    expect((await planMigration(path)).warnings).toContainEqual(unreadable)
    const { backup_path, warnings } = await runMigration(path, { jobId: 'log' })
    expect(warnings).toContainEqual(unreadable)
    expect(await readFile(`${backup_path}.wal`)).toEqual(garbage)
  })

  test('the log of a store under a path with a question mark, for which it looks elsewhere: refused', async () => {
    const path = await scratch.copy('what?')
    const before = await filesOf(path)
    const refused = { code: 'path_unusable' }
    await expect(planMigration(path)).rejects.toMatchObject(refused)
    await expect(runMigration(path, { jobId: 'mark' })).rejects.toMatchObject(refused)
    await expect(verifyWorkspace(path, { depth: 'quick' })).rejects.toMatchObject(refused)
    expect(await filesOf(path)).toEqual(before)
  })
})

describe.runIf(hasSharedWorkspaces())('a workspace with a write-ahead log', () => {
  test('killed between the swap and the removal of the old log: says so, and recovery parts the two', async () => {
    await using copy = await copyWorkspace('crashed-wal')
    const wanted = await arraysOf(copy.path)
    let isDead = false
    setFaultHook(({ kind, path }) => {
      isDead ||= kind === 'unlink' && path.endsWith('store.duckdb.wal')
      if (isDead) throw new Error('killed')
    })
    await expect(runMigration(copy.path, { jobId: 'killed' })).rejects.toThrow()
    setFaultHook(undefined)
    await rm(join(copy.path, '.nirs-workspace', 'lock'), { force: true })
    await expect(inspectWorkspace(copy.path, { cacheFolder: join(copy.path, '..', 'cache') })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(await recoverWorkspace(copy.path)).toMatchObject({ recovered: true, outcome: 'finished' })
    expect(await arraysOf(copy.path)).toEqual(wanted)
  })
})

test('an array file with a known column in other letters is refused where it would be written anew', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  await mkdir(join(folder.path, 'arrays'))
  const file = join(folder.path, 'arrays', 'wheat.parquet')
  await makeParquet(file, [{ id: 'a' }, { id: 'only here' }])
  await rewriteParquet(file, '* EXCLUDE (weights), [1.0, 2.0, 3.0]::DOUBLE[] AS "Weights"')
  await expect(planMigration(folder.path)).rejects.toMatchObject({ code: 'store_unsafe', message: expect.stringContaining('Weights') })
})
