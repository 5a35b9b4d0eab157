import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MigrationProof } from '@nirs-workspace/types'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attachWritable, quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { deleteBackup } from '../migration/delete-backup.ts'
import { migrateStatus } from '../migration/migrate-status.ts'
import { readProof } from '../migration/proof-file.ts'
import { rollbackMigration } from '../migration/rollback-migration.ts'
import { runMigration } from '../migration/run-migration.ts'
import { GroupFile } from '../parquet/group-file.ts'
import { faultFixture, filesOf, type Scratch } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from './verify-workspace.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await faultFixture()
})
afterAll(() => scratch[Symbol.asyncDispose]())

const migrated = async (name: string) => {
  const path = await scratch.copy(name)
  const before = await filesOf(path)
  const { proof_path: proof, backup_path: backup } = await runMigration(path, { jobId: 'one' })
  return { path, before, proof, copy: join(dirname(proof), 'migration-proof.copy.json'), backup }
}

const flip = async (path: string, at?: number): Promise<void> => {
  const bytes = await readFile(path)
  const place = at ?? bytes.indexOf('"original"') + 60
  bytes.writeUInt8(bytes.readUInt8(place) ^ 4, place)
  await writeFile(path, bytes)
}

const firstFile = async (path: string, proof: string): Promise<string> => join(path, (await readProof(proof))?.files[0]?.path ?? '')

const codes = ({ findings }: { findings: readonly { code: string; severity: string }[] }) =>
  findings.filter(({ severity }) => severity !== 'info').map(({ code, severity }) => `${severity} ${code}`)

/** A proof that says something else, in perfect order. */
const alter = async (path: string): Promise<void> => writeFile(path, (await readFile(path, 'utf8')).replace(/"rows": ?\d+/, '"rows": 987'))

test('a damaged or missing proof is an error of every check, and its copy still rolls back', async () => {
  for (const damage of [alter, (path: string) => rm(path)]) {
    const { path, before, proof } = await migrated(`proof-${damage.name || 'gone'}`)
    await damage(proof)
    for (const options of [{ depth: 'quick' }, { depth: 'deep' }, { depth: 'deep', requireProof: true }] as const) {
      const report = await verifyWorkspace(path, options)
      expect([report.passed, report.proof_holds, codes(report)]).toEqual([false, false, ['error proof_damaged']])
    }
    expect(await migrateStatus(path)).toMatchObject({ can_roll_back: true })
    await rollbackMigration(path, { jobId: 'back' })
    const after = await filesOf(path)
    for (const [name, bytes] of Object.entries(before)) expect([name, after[name]]).toEqual([name, bytes])
    await expect(rollbackMigration(path, { jobId: 'again' })).rejects.toThrow('There is no migration to roll back')
    expect(await verifyWorkspace(path, { depth: 'quick' })).toMatchObject({ proof_holds: null })
  }
})

test('with both proofs damaged or gone the kept original is named, and nothing is touched', async () => {
  for (const damage of [alter, (path: string) => rm(path)]) {
    const { path, proof, copy, backup } = await migrated(`both-${damage.name || 'gone'}`)
    for (const file of [proof, copy]) await damage(file)
    const before = await filesOf(path)
    expect(codes(await verifyWorkspace(path, { depth: 'deep', requireProof: true }))).toEqual(['error proof_damaged'])
    const name = backup.slice(path.length + 1)
    await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({
      code: 'proof_not_found',
      message: expect.stringContaining(name),
      fields: { hint: expect.stringContaining(`copy ${name} as store.duckdb`) },
    })
    expect(await filesOf(path)).toEqual(before)
  }
})

test('changed values of a proven file fail both checks; changed tables and added rows fail the check of the proof', async () => {
  const { path, proof } = await migrated('changed')
  const file = await firstFile(path, proof)
  const original = await readFile(file)
  const rewrite = (select: string) =>
    withEngine({}, (engine) =>
      engine.run(`COPY (${select.replaceAll('FILE', `read_parquet(${quotedString(file)})`)}) TO ${quotedString(file)} (FORMAT parquet)`),
    )
  await rewrite('SELECT * REPLACE ([0.5]::DOUBLE[] || y_pred[2:] AS y_pred) FROM FILE')
  for (const requireProof of [false, true]) {
    const report = await verifyWorkspace(path, { depth: 'deep', requireProof })
    expect([report.passed, report.proof_holds]).toEqual([false, false])
    expect(codes(report)).toContain(`${requireProof ? 'error' : 'warning'} arrays_changed`)
  }
  await writeFile(file, original)
  await rewrite('SELECT * FROM FILE')
  expect(await verifyWorkspace(path, { depth: 'deep', requireProof: true })).toMatchObject({ passed: true, proof_holds: true })
  await rewrite("SELECT * FROM FILE UNION ALL (SELECT * REPLACE ('added' AS prediction_id) FROM FILE LIMIT 1)")
  const grown = await verifyWorkspace(path, { depth: 'deep' })
  expect(grown.findings).toContainEqual(expect.objectContaining({ code: 'changed_since_migration', severity: 'info' }))
  expect(codes(grown)).not.toContain('warning arrays_changed')
  await writeFile(file, original)
  await withEngine({}, async (engine) => {
    await attachWritable(engine, join(path, 'store.duckdb'), 'store')
    await engine.run('UPDATE store.predictions SET val_score = 0.000001')
    await engine.run('CHECKPOINT store')
  })
  expect((await verifyWorkspace(path, { depth: 'deep' })).passed).toBe(true)
  const strict = await verifyWorkspace(path, { depth: 'deep', requireProof: true })
  expect([strict.passed, strict.proof_holds, codes(strict)]).toEqual([false, false, ['error changed_since_migration']])
})

test('a quick check says of a proof only that it does not hold, never that it does', async () => {
  const { path, proof } = await migrated('quick')
  const file = await firstFile(path, proof)
  expect(await verifyWorkspace(path, { depth: 'quick' })).toMatchObject({ passed: true, proof_holds: null })
  const bytes = await readFile(file)
  const reader = await GroupFile.open(file)
  const [values] = reader.groupToRead(0, ['val_score']).chunks
  await reader.close()
  await flip(file, (values?.offset ?? 0) + (values?.bytes ?? 0) - 4)
  expect(await verifyWorkspace(path, { depth: 'quick' })).toMatchObject({ proof_holds: null })
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: false, proof_holds: false })
  await writeFile(file, bytes.subarray(0, -1))
  expect(await verifyWorkspace(path, { depth: 'quick' })).toMatchObject({ passed: false, proof_holds: false })
})

test('a kept original of other bytes or another length is an error, and nothing is rolled back to it', async () => {
  const { path, backup } = await migrated('kept')
  const bytes = await readFile(backup)
  await flip(backup, bytes.length - 1)
  expect(codes(await verifyWorkspace(path, { depth: 'deep' }))).toEqual(['error backup_damaged'])
  const before = await filesOf(path)
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'backup_not_found' })
  expect(await filesOf(path)).toEqual(before)
  await writeFile(backup, bytes.subarray(0, -1))
  expect(codes(await verifyWorkspace(path, { depth: 'quick' }))).toEqual(['error backup_damaged'])
})

test('a workspace that was never migrated has no proof to check', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a', dataset: 'corn' }] })
  await expect(verifyWorkspace(folder.path, { depth: 'deep', requireProof: true })).rejects.toMatchObject({ code: 'proof_not_found' })
  expect(await verifyWorkspace(folder.path, { depth: 'deep' })).toMatchObject({ proof_holds: null })
})

test('one flipped bit anywhere in the migrated store is an error of the deep check', async () => {
  const { path } = await migrated('store')
  const store = join(path, 'store.duckdb')
  const { length } = await readFile(store)
  const places = [9, 4096 + 20, 8192 + 20, ...Array.from({ length: 6 }, (_, index) => Math.floor((length * (index + 0.5)) / 6))]
  for (const at of places) {
    await flip(store, at)
    const report = await verifyWorkspace(path, { depth: 'deep' })
    expect([at, report.passed, report.proof_holds, codes(report).some((code) => code.startsWith('error store_'))]).toEqual([
      at,
      false,
      false,
      true,
    ])
    await flip(store, at)
  }
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: true, proof_holds: true })
})

test('a proof from elsewhere that names anything but what a migration keeps is damaged, one in another folder does not count, and a folder of it that is a link stops both', async () => {
  const { path, proof, copy } = await migrated('hostile')
  const victim = join(scratch.path, 'victim')
  await mkdir(victim)
  await writeFile(join(victim, 'thesis.txt'), 'mine')
  const text = await readFile(proof, 'utf8')
  const { sha256: _seal, ...written } = MigrationProof.parse(JSON.parse(text))
  const up = '../victim/thesis.txt'
  const kept = { path: 'arrays/a.parquet', bytes: 4, sha256: '', kept_as: '.nirs-workspace/migrations/one/replaced/a.parquet' }
  const changes = [
    { job_id: '../../../victim' },
    { original: { ...written.original, path: up } },
    { original: { ...written.original, wal: { path: up, bytes: 4, sha256: '' } } },
    { files: [{ path: up, bytes: 4, sha256: '' }] },
    { replaced: [{ ...kept, kept_as: up }] },
    { replaced: [{ ...kept, path: up }] },
    { quarantine: { path: up, rows: 1, sha256: '' } },
  ]
  const before = await filesOf(victim)
  for (const change of changes) {
    for (const place of [proof, copy]) await writeFile(place, JSON.stringify({ ...written, ...change }))
    await expect(deleteBackup(path)).rejects.toMatchObject({ code: 'backup_not_found' })
    await expect(rollbackMigration(path, { jobId: 'back', force: true })).rejects.toMatchObject({ code: 'proof_not_found' })
  }
  for (const place of [proof, copy]) await writeFile(place, text)
  await rename(dirname(proof), join(dirname(proof), '..', 'old'))
  const renamed = await filesOf(path)
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({
    code: 'proof_not_found',
    message: expect.stringContaining('is the proof of the migration one, after which its folder has to be named'),
  })
  expect(await filesOf(path)).toEqual(renamed)
  await rename(join(dirname(proof), '..', 'old'), dirname(proof))
  const replaced = join(dirname(proof), 'replaced')
  await symlink(victim, replaced)
  await expect(deleteBackup(path)).rejects.toMatchObject({ code: 'path_not_allowed' })
  await rm(replaced)
  await rename(dirname(proof), join(scratch.path, 'moved'))
  await symlink(join(scratch.path, 'moved'), dirname(proof))
  await expect(deleteBackup(path)).rejects.toMatchObject({ code: 'path_not_allowed' })
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(await filesOf(victim)).toEqual(before)
  await rm(dirname(proof))
  await rename(join(scratch.path, 'moved'), dirname(proof))
  await rollbackMigration(path, { jobId: 'back' })
})
