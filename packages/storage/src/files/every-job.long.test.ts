import { cp, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { StorageError } from '../errors.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { snapshot } from '../maintenance/testing/maintenance-fixture.ts'
import { mergeStores } from '../merge/merge-stores.ts'
import { makeHybrid } from '../merge/testing/merge-fixture.ts'
import { deleteBackup } from '../migration/delete-backup.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { rollbackMigration } from '../migration/rollback-migration.ts'
import { runMigration } from '../migration/run-migration.ts'
import { rescueArrays } from '../rescue/rescue-arrays.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { arraysOf, faultFixture, filesOf, forgetLock, type Scratch } from '../testing/fault-oracle.ts'
import { withFault } from '../testing/fault-scene.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { emptyTrash } from '../trash/empty-trash.ts'
import { listTrash } from '../trash/list-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { vacuumWorkspace } from '../vacuum/vacuum-store.ts'
import { type DiskOperation, setFaultHook } from './fault-point.ts'
import { acquireWorkspaceLock } from './workspace-lock.ts'

const job = { jobId: 'next' }
const first = async (path: string): Promise<string> => (await listTrash(path)).rows.at(-1)?.operation_id ?? ''
const removal = (path: string, id: string) => makePlan(path, { kind: 'remove_predictions', prediction_ids: [id] })

/** Everything that changes a migrated workspace with something in its trash. */
const jobs: Record<string, (path: string) => Promise<unknown>> = {
  removal: async (path) => applyPlan(path, await removal(path, 'wheat-3'), job),
  restore: async (path) => restoreTrash(path, await first(path), job),
  'emptying the trash': (path) => emptyTrash(path, job),
  merge: (path) =>
    mergeStores(path, [join(path, '..', 'source')], { ...job, onConflict: 'keep_all', cacheFolder: join(path, '..', 'cache') }),
  vacuum: (path) => vacuumWorkspace(path),
  'saving predictions': async (path) => (await WorkspaceStore.open(path)).close(),
  'deleting the backup': (path) => deleteBackup(path),
  rescue: (path) => rescueArrays(path, job),
  rollback: (path) => rollbackMigration(path, { ...job, force: true }),
}

let scratch: Scratch
let migrated: string
beforeAll(async () => {
  scratch = await faultFixture()
  migrated = await scratch.copy('migrated')
  await runMigration(migrated, { jobId: 'first' })
  await applyPlan(migrated, await removal(migrated, 'wheat-1'), { jobId: 'second' })
  await makeHybrid(join(scratch.path, 'source'), { predictions: [{ id: 's' }] })
})
afterAll(() => scratch[Symbol.asyncDispose]())

const copyOf = async (name: string): Promise<string> => {
  const path = join(scratch.path, name.replaceAll(' ', '-'))
  await cp(migrated, path, { recursive: true, preserveTimestamps: true })
  return path
}

test('while another job holds the workspace, no job begins', async () => {
  const path = await copyOf('held')
  const legacy = await scratch.copy('legacy')
  const locks = [path, legacy].map((root) => acquireWorkspaceLock(root, { jobId: 'other', kind: 'test' }))
  await Promise.all(locks)
  const before = [await filesOf(path), await filesOf(legacy)]
  for (const [name, run] of Object.entries(jobs)) await expect(run(path), name).rejects.toMatchObject({ code: 'workspace_busy' })
  await expect(ArrayStore.open(path).deleteBatch(new Set(['wheat-3']))).rejects.toMatchObject({ code: 'workspace_busy' })
  await expect(runMigration(legacy, job)).rejects.toMatchObject({ code: 'workspace_busy' })
  expect([await filesOf(path), await filesOf(legacy)]).toEqual(before)
})

test.each(Object.entries(jobs))('%s: carries through first what a dead job had begun', async (name, run) => {
  const path = await copyOf(name)
  const plan = await removal(path, 'wheat-2')
  let commits = 0
  setFaultHook(({ kind, path: changed }) => {
    if (kind === 'rename' && changed.endsWith('journal.json')) commits += 1
    if (commits >= 2 && kind === 'engine-write') throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(applyPlan(path, plan, { jobId: 'dead' })).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  await forgetLock(path)
  expect(await readInterruption(path)).toMatchObject({ job_id: 'dead', phase: 'commit' })
  await run(path).catch(() => undefined)
  expect(await readInterruption(path)).toBeNull()
  // A rollback keeps what the migrated store was in the end.
  const kept = (await readdir(join(path, '.nirs-workspace')).catch(() => [])).find((entry) => entry.startsWith('rolled-back'))
  const { tables } = await snapshot(kept === undefined ? path : join(path, '.nirs-workspace', kept))
  expect(tables.predictions?.join()).toContain('wheat-4')
  expect(tables.predictions?.join()).not.toContain('wheat-2')
})

/** Of jobs on a workspace that is an old one again, other than that it is to be migrated first. */
const answers: Record<string, string | null> = {
  removal: 'plan_stale',
  'emptying the trash': null,
  'deleting the backup': 'backup_not_found',
  rollback: 'proof_not_found',
}

test.each(Object.entries(jobs))('%s: what a dead roll back has made an old workspace again keeps all its arrays', async (name, run) => {
  const path = await copyOf(`${name} of old`)
  const isJournal = ({ kind, path: made }: DiskOperation) => kind === 'rename' && made.endsWith('journal.json')
  await stopFrom(isJournal, 2, () => rollbackMigration(path, { jobId: 'dead', force: true }))
  await forgetLock(path)
  expect(await readInterruption(path)).toMatchObject({ job_id: 'dead', kind: 'rollback' })
  const code = await run(path).then(
    () => null,
    (error: unknown) => (error instanceof StorageError ? error.code : error),
  )
  expect(code).toBe(name in answers ? answers[name] : 'not_migrated')
  expect(await arraysOf(path)).toEqual(await arraysOf(await scratch.copy('legacy')))
})

test('a trash that is a link to another place is refused by every job that fills, empties or sweeps it', async () => {
  const path = await copyOf('linked')
  const trash = join(path, '.nirs-workspace', 'trash')
  await rename(trash, join(scratch.path, 'elsewhere'))
  await symlink(join(scratch.path, 'elsewhere'), trash)
  const before = await filesOf(join(scratch.path, 'elsewhere'))
  for (const name of ['removal', 'restore', 'emptying the trash', 'merge', 'vacuum', 'saving predictions', 'rescue']) {
    await expect(jobs[name]?.(path), name).rejects.toMatchObject({ code: 'path_not_allowed' })
  }
  expect(await filesOf(join(scratch.path, 'elsewhere'))).toEqual(before)
})

test('a job whose first journal may not have reached the disk leaves none, and nothing else', async () => {
  const { removal: remove, restore, merge, vacuum, rollback } = jobs
  const begun = { remove, restore, merge, vacuum, rollback, migration: (path: string) => runMigration(path, job) }
  for (const [name, run] of Object.entries(begun)) {
    const path = name === 'migration' ? await scratch.copy(name) : await copyOf(`unlasting ${name}`)
    const before = await filesOf(path)
    let journals = 0
    setFaultHook(({ kind, path: changed }) => {
      if (kind === 'rename' && changed.endsWith('journal.json')) journals += 1
      if (journals !== 1 || kind !== 'fsync-folder') return
      journals += 1
      throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    })
    await expect(run?.(path), name).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    expect(await readInterruption(path), name).toBeNull()
    await forgetLock(path)
    expect(await filesOf(path), name).toEqual(before)
  }
})

test('a migration puts in order what a dead one has left', async () => {
  const counted = await withFault('count', 0, async () => runMigration(await scratch.copy('counted'), job))
  for (const share of [0.5, 0.85]) {
    const path = await scratch.copy('dead')
    await withFault('stop', Math.round(share * counted.operations), () => runMigration(path, { jobId: 'dead' }))
    await forgetLock(path)
    await readFile(join(path, '.nirs-workspace', 'journal.json'))
    expect(await runMigration(path, job)).toMatchObject({ verification_passed: true })
    expect(Object.keys(await filesOf(path)).filter((file) => /dead|staging|journal/.test(file))).toEqual([])
  }
})
