import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrateStatus } from '../migration/migrate-status.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { listArrayFiles } from './array-files.ts'
import { fingerprintWorkspace } from './fingerprint-workspace.ts'
import { resolveWorkspace, tellingUnreadable } from './resolve-workspace.ts'

test('a workspace folder, its store and a folder that holds workspace/ are the same workspace', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'barley', 'workspace')
  await mkdir(root, { recursive: true })
  await makeStore(join(root, 'store.duckdb'), { release: '0.7.1' })
  const resolved = await resolveWorkspace(root)
  expect(resolved).toEqual({
    root,
    name: 'barley',
    kind: 'workspace',
    duckdb: join(root, 'store.duckdb'),
    sqlite: null,
    bak: null,
    arrays: join(root, 'arrays'),
    parquet: null,
  })
  expect(await resolveWorkspace(join(root, 'store.duckdb'))).toEqual(resolved)
  expect(await resolveWorkspace(join(folder.path, 'barley'))).toEqual(resolved)
  await symlink(root, join(folder.path, 'link'))
  expect(await resolveWorkspace(join(folder.path, 'link'))).toEqual(resolved)
})

test('test_predictions_from_parquet: a lone Parquet file and a folder of arrays/*.parquet are portable', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'arrays'))
  const file = join(folder.path, 'arrays', 'wheat.parquet')
  await makeParquet(file, [{ id: 'a' }])
  expect(await resolveWorkspace(file)).toMatchObject({ kind: 'portable', parquet: file, root: join(folder.path, 'arrays'), duckdb: null })
  expect(await resolveWorkspace(folder.path)).toMatchObject({ kind: 'portable', parquet: null, root: folder.path })
})

test('a lone Parquet file has its whole name, in the root of a drive, too', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'wheat.parquet')
  await makeParquet(file, [{ id: 'a' }])
  const resolved = await resolveWorkspace(file)
  const inRoot = { ...resolved, root: '/', arrays: '/', parquet: '/wheat.parquet' }
  for (const place of [resolved, inRoot]) expect(await listArrayFiles(place)).toMatchObject([{ path: 'wheat.parquet' }])
})

test('a missing path is workspace_not_found, anything else not_a_workspace; neither creates anything', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'projects', 'barley'), { recursive: true })
  await makeStore(join(folder.path, 'projects', 'barley', 'store.duckdb'), { release: '0.7.1' })
  await writeFile(join(folder.path, 'notes.txt'), 'hello')
  const before = await hashTree(folder.path)
  const missing = resolveWorkspace(join(folder.path, 'projects', 'barly'))
  await expect(missing).rejects.toMatchObject({ code: 'workspace_not_found', fields: { hint: expect.stringContaining('Did you mean') } })
  const above = resolveWorkspace(join(folder.path, 'projects'))
  await expect(above).rejects.toMatchObject({
    code: 'not_a_workspace',
    fields: { hint: expect.stringContaining(join('projects', 'barley')) },
  })
  await expect(resolveWorkspace(join(folder.path, 'notes.txt'))).rejects.toMatchObject({ code: 'not_a_workspace' })
  await expect(resolveWorkspace(join(folder.path, 'notes.txt', 'below'))).rejects.toMatchObject({ code: 'workspace_not_found' })
  expect(await hashTree(folder.path)).toBe(before)
})

test('a path that leads nowhere, and one that may not be looked at, are told in the same words by whatever begins with it', async () => {
  await using folder = await temporaryFolder()
  const loop = join(folder.path, 'loop')
  await symlink(loop, loop)
  const begin = [resolveWorkspace, recoverWorkspace, (path: string) => migrateStatus(path)]
  for (const path of [loop, join(loop, 'below'), join(folder.path, 'x'.repeat(300)), `${folder.path}${'/x'.repeat(3000)}`]) {
    for (const work of begin) await expect(work(path)).rejects.toMatchObject({ code: 'workspace_not_found', exitCode: 3 })
  }
  const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
  const work = () => tellingUnreadable(folder.path, () => Promise.reject(refused))
  await expect(work()).rejects.toMatchObject({ code: 'workspace_not_found', message: `${folder.path} may not be read by this user.` })
})

test.skipIf(process.platform === 'win32')('pipes and folders that are called like a store or a Parquet file are never opened', async () => {
  await using folder = await temporaryFolder()
  const pipe = join(folder.path, 'pipe.parquet')
  execFileSync('mkfifo', [pipe, join(folder.path, 'store.duckdb')])
  await mkdir(join(folder.path, 'folder.parquet'))
  await mkdir(join(folder.path, 'arrays', 'x.parquet'), { recursive: true })
  for (const path of [pipe, join(folder.path, 'folder.parquet'), folder.path]) {
    await expect(resolveWorkspace(path)).rejects.toMatchObject({ code: 'not_a_workspace' })
  }
})

test('the fingerprint follows the stores, the array files and the removed predictions, and nothing else', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1' })
  await mkdir(join(folder.path, 'arrays'))
  const resolved = await resolveWorkspace(folder.path)
  const seen = [await fingerprintWorkspace(resolved)]
  await writeFile(join(folder.path, 'notes.txt'), 'x')
  await writeFile(join(folder.path, 'arrays', 'wheat.parquet.tmp'), 'x')
  expect(await fingerprintWorkspace(resolved)).toBe(seen[0])
  for (const change of ['arrays/wheat.parquet', 'arrays/_tombstones.json', 'store.duckdb.wal', 'store.sqlite-wal', 'store.duckdb.bak']) {
    await writeFile(join(folder.path, change), '{}')
    const next = await fingerprintWorkspace(resolved)
    expect(seen, change).not.toContain(next)
    seen.push(next)
  }
})
