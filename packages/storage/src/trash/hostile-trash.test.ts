import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { markFile } from '../files/hash-file.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { makeWorkspace, snapshot } from '../maintenance/testing/maintenance-fixture.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { checkRestore } from './check-restore.ts'
import { emptyTrash } from './empty-trash.ts'
import { listTrash } from './list-trash.ts'
import { restoreTrash } from './restore-trash.ts'
import { trashPlaces } from './trash-places.ts'

const job = { jobId: 'job' }

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test('a trash that is a link to another place is neither filled nor emptied', async () => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }, { id: 'b' }] })
  await mkdir(join(other.path, 'mine'))
  await mkdir(join(folder.path, '.nirs-workspace'))
  await symlink(other.path, join(folder.path, '.nirs-workspace', 'trash'))
  await expect(emptyTrash(folder.path, job)).rejects.toMatchObject({ code: 'path_not_allowed' })
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
  await expect(applyPlan(folder.path, plan, job)).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(existsSync(join(other.path, 'mine'))).toBe(true)
})

test('a journal and a trash from elsewhere take away nothing outside of artifacts/', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  await writeFile(join(folder.path, 'thesis.txt'), 'mine')
  const trash = join(folder.path, '.nirs-workspace', 'trash', 'evil')
  await mkdir(trash, { recursive: true })
  const write = (name: string, value: unknown) => writeFile(join(trash, name), JSON.stringify(value))
  const file = { path: '../thesis.txt', bytes: 4, sha256: '' }
  await write('manifest.json', {
    format: 'nirs-workspace/trash/1',
    operation_id: 'evil',
    kind: 'artifact_gc',
    created_at: '',
    counts: {},
    files: [],
  })
  await write('contents.json', { tables: [], arrays: [], datasets: [], files: [file] })
  const journal = { format: 'nirs-workspace/journal/1', kind: 'remove', job_id: 'x', phase: 'commit', started_at: '', operation: 'evil' }
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), JSON.stringify(journal))
  await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({ code: 'trash_damaged' })
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), JSON.stringify({ ...journal, operation: '../../..' }))
  await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({ code: 'interrupted' })
  await mkdir(join(folder.path, 'real'))
  await rename(join(folder.path, 'thesis.txt'), join(folder.path, 'real', 'thesis.txt'))
  await mkdir(join(folder.path, 'artifacts'))
  await symlink(join(folder.path, 'real'), join(folder.path, 'artifacts', 'aa'))
  await write('contents.json', { tables: [], arrays: [], datasets: [], files: [{ ...file, path: 'aa/thesis.txt' }] })
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), JSON.stringify(journal))
  await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(existsSync(join(folder.path, 'real', 'thesis.txt'))).toBe(true)
})

test('an operation whose manifest is damaged is listed as that, keeps no other from being given up, and goes by its name only', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }, { id: 'b' }] })
  const remove = async (id: string) =>
    (await applyPlan(folder.path, await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: [id] }), job)).operation_id ??
    ''
  const [damaged, sound] = [await remove('a'), await remove('b')]
  const { folder: place, manifest } = trashPlaces(layoutOf(folder.path), damaged)
  await writeFile(manifest, '{')
  const bytes = (await Promise.all((await filesIn(place)).map(async (path) => (await stat(path)).size))).reduce(
    (sum, size) => sum + size,
    0,
  )
  const entry = { operation_id: damaged, kind: 'unknown', counts: {}, bytes, partly_restored: false, damaged: true }
  const listed = await listTrash(folder.path)
  expect(listed.rows.find(({ operation_id }) => operation_id === damaged)).toMatchObject(entry)
  expect(listed.rows.find(({ operation_id }) => operation_id === sound)).toMatchObject({ kind: 'remove_predictions', damaged: false })
  await expect(restoreTrash(folder.path, damaged, job)).rejects.toMatchObject({ code: 'trash_damaged' })
  expect(await emptyTrash(folder.path, job)).toMatchObject({ operations: [sound], damaged: [damaged] })
  expect((await listTrash(folder.path)).rows).toEqual([expect.objectContaining(entry)])
  await rm(manifest)
  await symlink(manifest, manifest)
  expect((await listTrash(folder.path)).rows).toMatchObject([{ operation_id: damaged, damaged: true }])
  await rm(manifest)
  await mkdir(manifest)
  await writeFile(join(manifest, 'x'), '{')
  expect(await emptyTrash(folder.path, job)).toMatchObject({ operations: [], damaged: [damaged] })
  await expect(restoreTrash(folder.path, damaged, job)).rejects.toMatchObject({ code: 'trash_damaged' })
  expect(await emptyTrash(folder.path, { ...job, operation: damaged })).toEqual({ operations: [damaged], damaged: [], bytes_freed: bytes })
  expect(existsSync(join(folder.path, '.nirs-workspace'))).toBe(false)
})

test.each(['prepare', 'commit'])('a trash that is a link is not touched by a recovery either: phase %s', async (phase) => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  await mkdir(join(other.path, 'op'))
  await writeFile(join(other.path, 'op', 'manifest.json'), '{}')
  await writeFile(join(other.path, 'op', 'contents.json'), JSON.stringify({ tables: [], arrays: [], datasets: [], files: [] }))
  await mkdir(join(folder.path, '.nirs-workspace'))
  await symlink(other.path, join(folder.path, '.nirs-workspace', 'trash'))
  const journal = { format: 'nirs-workspace/journal/1', kind: 'remove', job_id: 'x', phase, started_at: '', operation: 'op' }
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), JSON.stringify(journal))
  await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(existsSync(join(other.path, 'op', 'manifest.json'))).toBe(true)
})

test('an operation that is a link is neither emptied nor restored, and one under the id of another is damaged', async () => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }, { id: 'b' }] })
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
  const operation = (await applyPlan(folder.path, plan, job)).operation_id ?? ''
  const trash = join(folder.path, '.nirs-workspace', 'trash')
  await cp(join(trash, operation), join(trash, 'copy'), { recursive: true })
  await expect(restoreTrash(folder.path, 'copy', job)).rejects.toMatchObject({ code: 'trash_damaged' })
  for (const [own, elsewhere] of [
    ['', 'operation'],
    ['arrays', 'arrays'],
  ] as const) {
    const place = join(trash, operation, own)
    await rename(place, join(other.path, elsewhere))
    await symlink(join(other.path, elsewhere), place)
    const before = await hashTree(other.path)
    await expect(emptyTrash(folder.path, job)).rejects.toMatchObject({ code: 'path_not_allowed' })
    await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject({ code: 'path_not_allowed' })
    await expect(checkRestore(folder.path, operation)).rejects.toMatchObject({ code: 'path_not_allowed' })
    expect(await hashTree(other.path)).toBe(before)
    await rm(place)
    await rename(join(other.path, elsewhere), place)
  }
  expect(await emptyTrash(folder.path, job)).toMatchObject({ operations: [operation], damaged: ['copy'] })
  expect(await emptyTrash(folder.path, { ...job, operation: 'copy' })).toMatchObject({ operations: ['copy'] })
})

test("models that are links are nobody's to collect", async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  await mkdir(join(folder.path, 'artifacts'))
  await writeFile(join(folder.path, 'thesis.txt'), 'mine')
  await symlink(join(folder.path, 'thesis.txt'), join(folder.path, 'artifacts', 'linked.joblib'))
  const plan = await makePlan(folder.path, { kind: 'artifact_gc', include_unregistered: true, grace_hours: 0 })
  expect(plan.items).toEqual([])
  await expect(restoreTrash(folder.path, 'x/../..', job)).rejects.toMatchObject({ code: 'trash_not_found' })
})

test('a folder of models that is a link by now gets none back from the trash', async () => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  const model = "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/m.joblib', 'h')"
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }], extra: [model] })
  const models = join(folder.path, 'artifacts', 'aa')
  await mkdir(models, { recursive: true })
  await writeFile(join(models, 'm.joblib'), 'model')
  const before = await snapshot(folder.path)
  const { operation_id } = await applyPlan(folder.path, await makePlan(folder.path, { kind: 'artifact_gc', grace_hours: 0 }), job)
  await rm(models, { recursive: true, force: true })
  await mkdir(join(folder.path, 'artifacts'), { recursive: true })
  await symlink(other.path, models)
  await expect(restoreTrash(folder.path, operation_id ?? '', job)).rejects.toThrow()
  expect(await readdir(other.path)).toEqual([])
  await rm(models)
  await restoreTrash(folder.path, operation_id ?? '', job)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('undoing a restore follows no link either', async () => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  await writeFile(join(other.path, 'thesis.txt'), 'mine')
  await mkdir(join(folder.path, 'artifacts'))
  await symlink(other.path, join(folder.path, 'artifacts', 'aa'))
  const { bytes, sha256 } = await markFile(join(other.path, 'thesis.txt'))
  const files = [{ path: 'aa/thesis.txt', bytes, sha256 }]
  const trash = join(folder.path, '.nirs-workspace', 'trash', 'evil')
  await mkdir(trash, { recursive: true })
  await writeFile(join(trash, 'manifest.json'), '{}')
  await writeFile(join(trash, 'restoring.json'), JSON.stringify({ tables: [], arrays: [], datasets: [], files }))
  const journal = { format: 'nirs-workspace/journal/1', kind: 'restore', job_id: 'x', phase: 'commit', started_at: '' }
  const text = JSON.stringify({ ...journal, operation: 'evil', evidence: null })
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), text)
  await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({ code: 'path_not_allowed' })
  expect(existsSync(join(other.path, 'thesis.txt'))).toBe(true)
})
