import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { columnOf, sameColumn, textsOf } from '../parquet/column-block.ts'
import { GroupFile } from '../parquet/group-file.ts'
import { GroupThreads } from '../parquet/group-threads.ts'
import { checkGroup, encodeFromGroup, takeFromGroup } from '../parquet/threaded-groups.ts'
import type { ArrayStore } from './array-store.ts'
import { flipIn } from './testing/flip-bits.ts'
import { loadAll, madeRecord, madeRecords, temporaryStore } from './testing/made-records.ts'

/** Three row groups of the usual size, one of them with nulls of all kinds. */
const save = async (store: ArrayStore): Promise<void> => {
  await store.saveBatch(madeRecords(2048, {}, 'first'))
  const odd = { y_true: [1, null, -0], y_pred: null, sample_indices: [], val_score: null, fold_id: null, extra: { X: [1, null] } }
  await store.saveBatch([...madeRecords(1900, {}, 'second'), ...madeRecords(100, odd, 'odd')])
  await store.saveBatch(madeRecords(2000, {}, 'third'))
}

const groupRows = async (path: string): Promise<number[]> => {
  const file = await GroupFile.open(path)
  await file.close()
  return file.groups.map(({ rows }) => rows)
}

test('a row group that loses a few rows is written without them, one that loses none as it is, one that loses most with its neighbours', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const path = join(arrays, 'wheat.parquet')
  await save(store)
  const before = await loadAll(store, 'wheat')
  expect(await groupRows(path)).toEqual([2048, 2000, 2000])
  const removed = ['second-0', 'second-7', 'second-8', 'odd-3', 'odd-99']
  await store.deleteBatch(new Set(removed))
  const progress: number[] = []
  expect(await store.compact(undefined, { onProgress: ({ rows }) => progress.push(rows) })).toMatchObject({ rows_removed: 5, corrupt: [] })
  expect(await groupRows(path)).toEqual([2048, 1995, 2000])
  expect(progress.at(-1)).toBe(6048)
  for (const id of removed) before.delete(id)
  expect(await loadAll(store, 'wheat')).toEqual(before)
  expect([...(await loadAll(store, 'wheat')).keys()]).toEqual([...before.keys()])
  expect((await store.integrityCheck({ deep: true })).corrupt).toEqual([])

  const most = Array.from({ length: 1900 }, (_, index) => `first-${index}`)
  await store.deleteBatch(new Set([...most, 'third-1']))
  await store.compact()
  expect(await groupRows(path)).toEqual([148, 1995, 1999])
  for (const id of [...most, 'third-1']) before.delete(id)
  expect(await loadAll(store, 'wheat')).toEqual(before)
  expect((await store.integrityCheck({ deep: true })).corrupt).toEqual([])
})

test('a damaged row group that would be written without some rows keeps its file from being compacted', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const path = join(arrays, 'wheat.parquet')
  await save(store)
  await store.deleteBatch(new Set(['second-5']))
  await flipIn(path, 1, 'y_true')
  const damaged = await readFile(path)
  const report = await store.compact()
  expect(report).toMatchObject({ rows_removed: 0, tombstones_cleared: 0, corrupt: [{ file: 'arrays/wheat.parquet' }] })
  expect(report.corrupt[0]?.reason).toContain('row group 1, y_true')
  expect((await readFile(path)).equals(damaged)).toBe(true)
})

test('a deep check and a compaction stop where they are told to; the file stays', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await save(store)
  await store.deleteBatch(new Set(['first-5', 'second-5', 'third-5']))
  const before = await readFile(join(arrays, 'wheat.parquet'))
  const stopAtOnce = () => {
    const stop = new AbortController()
    return { signal: stop.signal, onProgress: () => stop.abort() }
  }
  await expect(store.integrityCheck({ deep: true, ...stopAtOnce() })).rejects.toMatchObject({ name: 'AbortError' })
  await expect(store.compact(undefined, stopAtOnce())).rejects.toMatchObject({ name: 'AbortError' })
  expect((await readFile(join(arrays, 'wheat.parquet'))).equals(before)).toBe(true)
  expect(await store.compact()).toMatchObject({ rows_removed: 3 })
})

test('a prediction that was saved again and one that comes twice are told apart from ids that only look alike', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  await store.saveBatch([...madeRecords(50), madeRecord('p-1', { dataset_name: 'corn' })])
  await store.saveBatch([madeRecord('p-1', { y_pred: [1] })])
  expect((await store.integrityCheck()).duplicate_ids).toEqual(['p-1'])
  expect((await store.integrityCheck({ expectedIds: new Set(['p-1']) })).duplicate_ids).toEqual(['p-1'])
  expect(await store.compact()).toMatchObject({ rows_removed: 1 })
  expect((await store.integrityCheck()).duplicate_ids).toEqual([])
  expect((await store.loadSingle('p-1', 'wheat'))?.y_pred?.values).toEqual(Float64Array.of(1))
})

test.each([
  ['here', 0],
  ['in threads', Number.POSITIVE_INFINITY],
])('row groups are checked, taken from and encoded %s, and a damaged one is refused by its column', async (_, bytes) => {
  await using workspace = await temporaryStore()
  await save(workspace.store)
  const path = join(workspace.arrays, 'wheat.parquet')
  const file = await GroupFile.open(path)
  const threads = new GroupThreads(bytes)
  try {
    const rows = [0, 1, 1899, 1900, 1999]
    const [reasons, taken, encoded] = await Promise.all([
      checkGroup(threads, file, 1),
      takeFromGroup(threads, file, 1, rows),
      encodeFromGroup(threads, file, 1, rows),
    ])
    expect(reasons.every((reason) => reason === null)).toBe(true)
    expect(textsOf(columnOf(taken, 'prediction_id'))).toEqual(['second-0', 'second-1', 'second-1899', 'odd-0', 'odd-99'])
    expect([...(columnOf(taken, 'y_true').nulls ?? [])]).toEqual([...new Array(12).fill(0), 0, 1, 0, 0, 1, 0])
    const here = await takeFromGroup(new GroupThreads(0), file, 1, rows)
    expect(taken.every((column, index) => here[index] !== undefined && sameColumn(column, here[index]))).toBe(true)
    expect(encoded.rows).toBe(5)
    expect([...encoded.checksums.keys()]).toEqual(file.forms.map(({ name }) => name))

    await flipIn(path, 2, 'y_pred')
    const found = await checkGroup(threads, file, 2)
    expect(file.forms.filter((_one, index) => found[index] !== null).map(({ name }) => name)).toEqual(['y_pred'])
    await expect(takeFromGroup(threads, file, 2, [0])).rejects.toMatchObject({ code: 'arrays_corrupt' })
    await expect(takeFromGroup(threads, file, 2, [0], ['y_true'])).resolves.toHaveLength(1)
    await expect(encodeFromGroup(threads, file, 2, [0])).rejects.toThrow('row group 2, y_pred')
    // What the disk refuses is no damage.
    const asked = { ...file.groupToRead(0), fd: 2 ** 30 }
    expect(await threads.ask({ kind: 'check', group: asked })).toMatchObject({ kind: 'failed', code: 'EBADF', syscall: 'read' })
  } finally {
    await threads.close()
    await file.close()
  }
})
