import { existsSync } from 'node:fs'
import { appendFile, chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { attachReadOnly, quotedString } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { readFooter } from '../parquet/footer.ts'
import { readChecksums, readSummary } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { arraysOf, faultFixture, filesOf, type Scratch } from '../testing/fault-oracle.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { holdStore } from '../testing/hold-store.ts'
import { changeInLog, tamperBefore } from '../testing/tamper.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { detectStorage } from '../workspace/detect-storage.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { formsWith } from './array-columns.ts'
import { deleteBackup } from './delete-backup.ts'
import { migrateStatus } from './migrate-status.ts'
import { planMigration } from './plan-migration.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { openQueries } from './row-source.ts'
import { runMigration } from './run-migration.ts'
import { stageFile } from './stage-file.ts'
import { verifyStaged } from './verify-staged.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await faultFixture()
})
afterAll(() => scratch[Symbol.asyncDispose]())
afterEach(() => setFaultHook(undefined))

const isOurs = ([name]: [string, string]) => name.startsWith('.nirs-workspace') || name.startsWith('arrays') || name.endsWith('.bak')

test('test_migration_roundtrip: all data is there afterwards, from Parquet, and the original is kept to the byte', async () => {
  const path = await scratch.copy('roundtrip')
  const [before, arrays] = [await filesOf(path), await arraysOf(path)]
  const report = await runMigration(path, { jobId: 'one' })
  expect(report).toMatchObject({
    total_rows: 21,
    rows_migrated: 21,
    verification_passed: true,
    verification_sample_size: 21,
    verification_mismatches: 0,
  })
  expect(await arraysOf(path)).toEqual(arrays)
  const after = await filesOf(path)
  expect(after[report.backup_path.slice(path.length + 1)]).toBe(before['store.duckdb'])
  expect(Object.entries(after).filter((entry) => !isOurs(entry) && entry[0] !== 'store.duckdb')).toEqual(
    Object.entries(before).filter(([name]) => name !== 'store.duckdb'),
  )
  expect(await migrateStatus(path)).toMatchObject({ migration_needed: false, storage_mode: 'migrated', can_roll_back: true })
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: true, proof_holds: true, rows_checked: 21 })
  expect(await detectStorage(await resolveWorkspace(path))).toMatchObject({ written_by: '0.7.1', migrated: { from: '0.7.1' } })
  await expect(runMigration(path, { jobId: 'two' })).rejects.toMatchObject({ code: 'not_migratable' })
})

test('test_migration_roundtrip: rolling back restores the workspace to the byte and to its mode', async () => {
  const path = await scratch.copy('rollback')
  const before = await filesOf(path)
  await runMigration(path, { jobId: 'one' })
  const report = await rollbackMigration(path, { jobId: 'back' })
  expect(report.kept_newer_state_at).toBeNull()
  const after = Object.entries(await filesOf(path)).filter(([name]) => !name.startsWith('.nirs-workspace'))
  expect(after).toEqual(Object.entries(before))
  expect(await migrateStatus(path)).toMatchObject({ migration_needed: true, storage_mode: 'legacy', can_roll_back: false })
  await expect(rollbackMigration(path, { jobId: 'again' })).rejects.toMatchObject({ code: 'proof_not_found' })
  await expect(runMigration(path, { jobId: 'three' })).resolves.toMatchObject({ rows_migrated: 21 })
})

test('a migrated store may be read and written by those who might before, and by nobody else', async () => {
  const path = await scratch.copy('private')
  await chmod(join(path, 'store.duckdb'), 0o600)
  await runMigration(path, { jobId: 'one' })
  expect((await stat(join(path, 'store.duckdb'))).mode & 0o777).toBe(0o600)
})

test('a store that nobody may write is migrated, and the new one is so as well once it is written', async () => {
  const path = await scratch.copy('read-only')
  await chmod(join(path, 'store.duckdb'), 0o440)
  const modes: number[] = []
  setFaultHook(async ({ kind, path: at }) => {
    if (kind === 'fsync' && at.endsWith('.new')) modes.push((await stat(at)).mode & 0o777)
  })
  await runMigration(path, { jobId: 'one' })
  setFaultHook(undefined)
  // Whoever is not root can flush only what is open for writing.
  expect(modes).toEqual([0o640])
  expect((await stat(join(path, 'store.duckdb'))).mode & 0o777).toBe(0o440)
})

test('roll back refuses a workspace that was used since; forced, it keeps the newer state', async () => {
  const path = await scratch.copy('used')
  const legacy = await filesOf(path)
  await runMigration(path, { jobId: 'one' })
  await withEngine({}, async (engine) => {
    await engine.run(`ATTACH ${quotedString(join(path, 'store.duckdb'))} AS s; UPDATE s.runs SET summary = '{"newer": true}'`)
  })
  await writeFile(join(path, 'arrays', 'new.parquet'), 'written by somebody else')
  const used = await filesOf(path)
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'changed_since_migration' })
  expect(await filesOf(path)).toEqual(used)
  let kept: string | null = null
  await expectFlushed(path, 'a forced rollback', async () => {
    kept = (await rollbackMigration(path, { jobId: 'back', force: true })).kept_newer_state_at
  })
  const after = await filesOf(path)
  expect(after['store.duckdb']).toBe(legacy['store.duckdb'])
  expect(after['arrays/new.parquet']).toBe(used['arrays/new.parquet'])
  expect(after[join(kept ?? '', 'store.duckdb').slice(path.length + 1)]).toBe(used['store.duckdb'])
})

test('roll back counts a changed array file and a log of the new store as changes; forced, it keeps both', async () => {
  const path = await scratch.copy('written')
  const legacy = await filesOf(path)
  const { datasets } = await runMigration(path, { jobId: 'one' })
  const file = `arrays/${datasets[0]?.file}`
  await appendFile(join(path, file), 'more')
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'changed_since_migration' })
  await changeInLog(join(path, 'store.duckdb'), "UPDATE runs SET summary = '{}'")
  const used = await filesOf(path)
  expect(Object.keys(used)).toContain('store.duckdb.wal')
  const flushed: string[] = []
  setFaultHook(({ kind, path: folder }) => void (kind === 'fsync-folder' && flushed.push(folder)))
  const { kept_newer_state_at } = await rollbackMigration(path, { jobId: 'back', force: true })
  setFaultHook(undefined)
  // What was put aside has its new name on the disk before the old one goes from there.
  const [aside, gone] = [join(kept_newer_state_at ?? '', 'arrays'), join(path, 'arrays')].map((folder) => flushed.indexOf(folder))
  expect(flushed.slice(aside, gone)).toContain(kept_newer_state_at)
  const after = await filesOf(path)
  expect([after['store.duckdb'], after['store.duckdb.wal'], after[file]]).toEqual([legacy['store.duckdb'], undefined, undefined])
  expect(Object.keys(after)).toContain('.nirs-workspace/migrations/one/migration-proof.rolled-back.json')
  const kept = (kept_newer_state_at ?? '').slice(path.length + 1)
  const keptFiles = Object.entries(after).filter(([name]) => name.startsWith(kept))
  expect(keptFiles.map(([, hash]) => hash)).toEqual(expect.arrayContaining([used['store.duckdb.wal'], used[file]]))
})

test('a forced roll back keeps the log of the new store beside the store that it belongs to', async () => {
  const path = await scratch.copy('logged')
  await runMigration(path, { jobId: 'one' })
  await changeInLog(join(path, 'store.duckdb'), "UPDATE runs SET error = 'newer'")
  const { kept_newer_state_at } = await rollbackMigration(path, { jobId: 'back', force: true })
  await withEngine({}, async (engine) => {
    await attachReadOnly(engine, join(kept_newer_state_at ?? '', 'store.duckdb'), 'kept')
    expect(await engine.one(z.any(), 'SELECT error FROM kept.runs')).toEqual({ error: 'newer' })
  })
})

test('test_migration_dry_run: the plan says what would happen and leaves the workspace as it was', async () => {
  const path = await scratch.copy('dry')
  const before = await filesOf(path)
  const plan = await planMigration(path)
  expect(await filesOf(path)).toEqual(before)
  expect(plan).toMatchObject({ dry_run: true, total_rows: 21, total_values: 168, quarantine_rows: 0, storage_mode: 'legacy' })
  expect(plan.datasets.find(({ name }) => name === 'soil pH')).toMatchObject({
    file: 'soil_pH.parquet',
    shares_file_with: ['soil_pH'],
    rows: 7,
  })
  expect(plan.warnings.map(({ code }) => code)).toEqual(['shared_file_name'])
  expect((await planMigration(path)).plan_id).toBe(plan.plan_id)
  await withEngine({}, (engine) =>
    engine.run(`ATTACH ${quotedString(join(path, 'store.duckdb'))} AS s; UPDATE s.runs SET error = 'changed'`),
  )
  await expect(runMigration(path, { jobId: 'stale', planId: plan.plan_id })).rejects.toMatchObject({ code: 'plan_stale' })
})

test('test_migration_verification: one changed bit in a written file is found', async () => {
  const path = await scratch.copy('bad-row')
  await runMigration(path, { jobId: 'one' })
  const good = quotedString(join(path, 'arrays', 'wheat.parquet'))
  const changed =
    "list_transform(y_true, x -> CASE WHEN prediction_id = 'wheat-3' AND x = 3 THEN nextafter(x, 9::DOUBLE) ELSE x END) AS y_true"
  const bads = [
    { replaced: changed, mismatches: 1, examples: ['wheat-3 (y_true)'] },
    { replaced: "CASE prediction_id WHEN 'wheat-3' THEN nextafter(val_score, 9::DOUBLE) ELSE val_score END AS val_score", mismatches: 7 },
    { replaced: "CASE prediction_id WHEN 'wheat-3' THEN NULL ELSE metric END AS metric", mismatches: 7 },
    { replaced: "CASE prediction_id WHEN 'wheat-3' THEN [] ELSE weights END AS weights", mismatches: 1, examples: ['wheat-3 (weights)'] },
  ]
  const reader = new ParquetReader()
  await withEngine({}, async (engine) => {
    for (const [index, { replaced, ...expected }] of bads.entries()) {
      const file = (name: string, sql: string) => ({
        name,
        path: join(path, name),
        openRows: (from: Engine, signal: AbortSignal | undefined) => openQueries(from, [sql], signal),
        rows: 7,
        datasets: [],
        columns: formsWith([]),
        extras: [],
        existing: false,
      })
      const from = `FROM read_parquet(${good})`
      const source = await stageFile(engine, file(`source-${index}.parquet`, `SELECT * ${from}`), { rowGroup: 2048 })
      const bad = file(`bad-${index}.parquet`, `SELECT * REPLACE (${replaced}) ${from}`)
      await stageFile(engine, bad, { rowGroup: 2048 })
      const verified = await verifyStaged(reader, bad, source)
      expect(verified).toMatchObject(expected)
      const isInArrays = expected.mismatches === 1
      expect(verified.source.get('wheat')?.sha256 === verified.parquet.get('wheat')?.sha256).toBe(!isInArrays)
    }
  })
  await reader.close()
})

test('deep verification finds any flipped bit of the data, quick verification a cut file', async () => {
  const path = await scratch.copy('flips')
  await runMigration(path, { jobId: 'one' })
  const file = join(path, 'arrays', 'wheat.parquet')
  const good = await readFile(file)
  for (let position = 5; position < good.length; position += Math.ceil(good.length / 12)) {
    const bad = Buffer.from(good)
    bad[position] = (bad[position] ?? 0) ^ 4
    await writeFile(file, bad)
    const { passed, proof_holds, findings } = await verifyWorkspace(path, { depth: 'deep' })
    expect({ position, passed, proof_holds }).toEqual({ position, passed: false, proof_holds: false })
    expect(findings.some(({ detail }) => detail.includes('wheat.parquet'))).toBe(true)
  }
  await writeFile(file, good.subarray(0, good.length - 100))
  expect(await verifyWorkspace(path, { depth: 'quick' })).toMatchObject({ passed: false })
})

test('cancelling, at any moment before the commit, leaves nothing behind', async () => {
  const path = await scratch.copy('cancel')
  const before = await filesOf(path)
  const moments = [
    'Looking for an unfinished job',
    'Reading what there is',
    'Writing array files and reading them back',
    'Writing the proof',
  ]
  for (const moment of moments) {
    const stop = new AbortController()
    const running = runMigration(path, {
      jobId: 'cancelled',
      signal: stop.signal,
      onProgress: (progress) => {
        if (progress.message === moment) stop.abort()
      },
    })
    await expect(running, moment).rejects.toMatchObject({ code: 'cancelled' })
    expect(await filesOf(path), moment).toEqual(before)
  }
})

test('a store that a writer holds is refused with its process id, and nothing is left behind', async () => {
  const path = await scratch.copy('held')
  const before = await filesOf(path)
  {
    await using writer = await holdStore(join(path, 'store.duckdb'))
    const locked = { code: 'store_locked', fields: { locked_by: { pid: writer?.pid } } }
    await expect(runMigration(path, { jobId: 'one' })).rejects.toMatchObject(locked)
  }
  await rm(join(path, 'store.duckdb.wal'), { force: true })
  expect(Object.keys(await filesOf(path))).toEqual(Object.keys(before))
})

test('roll back refuses a store that a writer holds, also when forced, and lets none in while the original comes back', async () => {
  const path = await scratch.copy('held since')
  const store = join(path, 'store.duckdb')
  const legacy = await filesOf(path)
  await runMigration(path, { jobId: 'one' })
  const migrated = await filesOf(path)
  {
    await using writer = await holdStore(store)
    const locked = { code: 'store_locked', fields: { locked_by: { pid: writer?.pid } } }
    await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject(locked)
    await expect(rollbackMigration(path, { jobId: 'back', force: true })).rejects.toMatchObject(locked)
  }
  await rm(`${store}.wal`, { force: true })
  expect(await filesOf(path)).toEqual(migrated)
  const letIn: boolean[] = []
  tamperBefore(
    ({ kind, path: to }) => kind === 'rename' && to === store,
    async () => {
      await using writer = await holdStore(store)
      letIn.push(writer !== null)
    },
  )
  await rollbackMigration(path, { jobId: 'back' })
  expect(letIn).toEqual([false])
  expect((await filesOf(path))['store.duckdb']).toBe(legacy['store.duckdb'])
})

test('every file says in its footer what it holds', async () => {
  const path = await scratch.copy('footer')
  await runMigration(path, { jobId: 'one' })
  const footer = await readFooter(join(path, 'arrays', 'soil_pH.parquet'))
  expect(readSummary(footer)).toMatchObject({
    rows: 14,
    datasets: [
      { name: 'soil pH', rows: 7 },
      { name: 'soil_pH', rows: 7 },
    ],
    metrics: [{ metric: 'rmse', direction: 'lower', rows: 14 }],
  })
  expect(readChecksums(footer)?.row_groups).toHaveLength(1)
})

test('deleting the backup takes the original and its log away and nothing else, in the end also when it was stopped', async () => {
  const path = await scratch.copy('backup')
  await changeInLog(join(path, 'store.duckdb'), 'UPDATE predictions SET val_score = 0.5')
  const { backup_path } = await runMigration(path, { jobId: 'one' })
  const name = backup_path.slice(path.length + 1)
  const before = await filesOf(path)
  expect(before[`${name}.wal`]).toBeDefined()
  setFaultHook(({ kind, path: at }) => {
    if (kind === 'unlink' && at === backup_path) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  const message = 'Writing failed (EIO). Some of the backup may be gone; the rest goes when it is deleted again.'
  await expect(deleteBackup(path)).rejects.toMatchObject({ code: 'write_failed', message })
  setFaultHook(undefined)
  await expectFlushed(path, 'deleting', async () => {
    expect((await deleteBackup(path)).deleted).toEqual([name])
  })
  expect(existsSync(backup_path)).toBe(false)
  expect(Object.keys(before).length - Object.keys(await filesOf(path)).length).toBe(2)
  expect(await migrateStatus(path)).toMatchObject({ can_roll_back: false, storage_mode: 'migrated' })
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'backup_not_found' })
})
