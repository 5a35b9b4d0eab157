import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { ArrayFolder } from './array-folder.ts'
import { unnoticedFlips } from './testing/flip-bits.ts'
import { loadAll, madeRecord, madeRecords, temporaryStore } from './testing/made-records.ts'

afterEach(() => setFaultHook(undefined))

test('single flipped bits: all found by the deep check, and no read serves other values', async () => {
  expect(await unnoticedFlips(150)).toEqual([])
})

/** Does something once, right before the part of an array file gets to this operation. */
const beforePart = (kind: DiskOperation['kind'], work: (part: string) => Promise<unknown>) => {
  let done = false
  setFaultHook(async (operation) => {
    const part = operation.from ?? operation.path
    if (done || operation.kind !== kind || !part.endsWith('.part')) return
    done = true
    await work(part)
  })
}

test.each(['first', 'later'])('what is not on the disk as it was meant is not given a name (%s rows of a file)', async (when) => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  if (when === 'later') await store.saveBatch(madeRecords(5))
  const before = await readdir(arrays).catch(() => [])
  const bytes = when === 'later' ? await readFile(join(arrays, 'wheat.parquet')) : null
  // Something else changes a byte in the middle of what was added, after it was written.
  beforePart('fsync', async (part) => {
    const found = await readFile(part)
    const place = when === 'later' ? (bytes?.lastIndexOf('PAR1') ?? 0) - 2000 : 200
    found[place] = (found[place] ?? 0) ^ 16
    await writeFile(part, found)
  })
  await expect(store.saveBatch(madeRecords(50, {}, 'new'))).rejects.toMatchObject({ code: 'verification_failed' })
  setFaultHook(undefined)
  expect(await readdir(arrays)).toEqual(before)
  if (bytes !== null) expect((await readFile(join(arrays, 'wheat.parquet'))).equals(bytes)).toBe(true)
  expect(await store.saveBatch(madeRecords(50, {}, 'new'))).toBe(50)
})

test('a file that another program changes while rows are added, or makes meanwhile, is left to it', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch(madeRecords(5))
  const path = join(arrays, 'wheat.parquet')
  const other = Buffer.concat([await readFile(path), Buffer.alloc(0)])
  for (const change of [
    () => store.saveBatch([madeRecord('new')]),
    () => store.deleteBatch(new Set(['p-1'])).then(() => store.compact()),
  ]) {
    beforePart('fsync', () => writeFile(path, other))
    await expect(change()).rejects.toMatchObject({ code: 'workspace_busy' })
    setFaultHook(undefined)
    expect((await readFile(path)).equals(other)).toBe(true)
  }
  beforePart('fsync', () => writeFile(join(arrays, 'corn.parquet'), 'not ours'))
  await expect(store.saveBatch([madeRecord('c', { dataset_name: 'corn' })])).rejects.toMatchObject({ code: 'workspace_busy' })
  expect(await readFile(join(arrays, 'corn.parquet'), 'utf8')).toBe('not ours')
  expect((await readdir(arrays)).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a file to which another program has added rows since it was looked at is not removed', async () => {
  await using workspace = await temporaryStore()
  const { root, store, arrays } = workspace
  await store.saveBatch([madeRecord('ours')])
  const folder = new ArrayFolder(root)
  const stamp = await folder.stamp('wheat.parquet')
  await store.saveBatch([madeRecord('theirs')])
  await expect(folder.remove('wheat.parquet', stamp)).rejects.toMatchObject({ code: 'workspace_busy' })
  expect([...(await loadAll(store, 'wheat')).keys()]).toEqual(['ours', 'theirs'])
  await folder.remove('wheat.parquet', await folder.stamp('wheat.parquet'))
  expect(await readdir(arrays)).toEqual([])
})

test('a damaged file keeps neither the others from being compacted nor its own rows from staying as they are', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([...madeRecords(5), ...madeRecords(5, { dataset_name: 'corn' }, 'c')])
  await appendFile(join(arrays, 'corn.parquet'), 'rubbish')
  const damaged = await readFile(join(arrays, 'corn.parquet'))
  expect(await store.deleteBatch(new Set(['p-1', 'c-1']))).toBe(2)
  const report = await store.compact()
  expect(report).toMatchObject({ rows_removed: 1, tombstones_cleared: 0, corrupt: [{ file: 'arrays/corn.parquet' }] })
  expect((await readFile(join(arrays, 'corn.parquet'))).equals(damaged)).toBe(true)
  await expect(store.saveBatch([madeRecord('c-9', { dataset_name: 'corn' })])).rejects.toMatchObject({ code: 'arrays_corrupt' })
  await expect(loadAll(store, 'corn')).rejects.toMatchObject({ code: 'arrays_corrupt' })
  expect((await loadAll(store, 'wheat')).size).toBe(4)
})
