import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { readFooter } from '../parquet/footer.ts'
import { readSummary } from '../parquet/own-metadata.ts'
import { ArrayStore } from './array-store.ts'
import { bitsOf, loadAll, madeRecord, madeRecords, temporaryStore } from './testing/made-records.ts'

test('rows are copied into a sealed file and come back from it, bit for bit', async () => {
  await using workspace = await temporaryStore()
  const { store, root } = workspace
  await store.saveBatch([
    ...madeRecords(30, { extra: { note: 'kept' } }),
    ...madeRecords(20, { dataset_name: 'corn' }, 'c'),
    ...madeRecords(3, { dataset_name: 'a b' }, 's'),
  ])
  await store.saveBatch([madeRecord('p-3', { y_pred: [3], extra: { note: 'newer' } })])
  const before = { wheat: await loadAll(store, 'wheat'), corn: await loadAll(store, 'corn'), space: await loadAll(store, 'a b') }
  const path = join(root, 'trash.parquet')
  const ids = new Set(['p-3', 'p-7', 'c-0', 's-2', 'unknown'])
  expect(await store.copyRows(ids, path)).toBe(4)
  await expect(store.copyRows(ids, path)).rejects.toMatchObject({ code: 'write_failed' })
  for (const folder of ['not-there', 'trash.parquet']) {
    await expect(store.copyRows(ids, join(root, folder, 'x.parquet'))).rejects.toMatchObject({
      name: 'StorageError',
      code: 'write_failed',
      message: `There is no folder ${join(root, folder)}. Nothing was written.`,
    })
  }
  await store.deleteBatch(ids)
  await store.compact()
  expect((await loadAll(store, 'wheat')).size).toBe(28)
  expect(await store.appendFile(path)).toBe(4)
  expect(await store.appendFile(path)).toBe(0)
  for (const [name, rows] of [
    ['wheat', before.wheat],
    ['corn', before.corn],
    ['a b', before.space],
  ] as const) {
    const after = await loadAll(store, name)
    expect([...after.keys()].sort()).toEqual([...rows.keys()].sort())
    for (const [id, row] of rows) {
      expect(bitsOf(after.get(id)?.y_true)).toEqual(bitsOf(row.y_true))
      expect(after.get(id)).toEqual({ ...row, extra: { ...row.extra, note: row.extra.note ?? null } })
    }
  }
})

test('appending a file clears the removals of its rows and takes whole row groups as they are', async () => {
  await using from = await temporaryStore()
  await using to = await temporaryStore()
  await from.store.saveBatch(madeRecords(3000))
  const path = join(from.root, 'rows.parquet')
  await from.store.copyRows(new Set(madeRecords(3000).map(({ prediction_id }) => prediction_id)), path)
  await to.store.saveBatch(madeRecords(2, {}, 'old'))
  await to.store.deleteBatch(new Set(['old-0']))
  expect(await to.store.appendFile(path)).toBe(3000)
  expect((await loadAll(to.store, 'wheat')).size).toBe(3001)
  const page = (await readFile(path)).subarray(4, 5000)
  expect((await readFile(join(to.arrays, 'wheat.parquet'))).includes(page)).toBe(true)
  expect(readSummary(await readFooter(join(to.arrays, 'wheat.parquet')))).toMatchObject({
    rows: 3002,
    facets: { partition: { val: 3002 } },
  })
})

test('the writer takes rows one by one; nothing shows before it is closed, nothing is left when it is aborted', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([madeRecord('p-1'), madeRecord('p-2', { y_pred: [2] })])
  const writer = store.openWriter()
  for (const record of madeRecords(5000)) await writer.add(record)
  for (const record of madeRecords(10, { dataset_name: 'corn', extra: { X: [1] } }, 'c')) await writer.add(record)
  expect((await loadAll(store, 'wheat')).size).toBe(2)
  // The array files stay free for others meanwhile.
  await store.saveBatch([madeRecord('between')])
  expect(await writer.close()).toBe(5009)
  expect((await loadAll(store, 'wheat')).size).toBe(5001)
  expect((await loadAll(store, 'corn')).get('c-1')?.extra).toMatchObject({ X: { values: Float64Array.of(1) } })
  expect((await readdir(arrays)).sort()).toEqual(['corn.parquet', 'wheat.parquet'])
  expect(await readdir(workspace.root)).toEqual(['arrays'])

  const aborted = store.openWriter()
  for (const record of madeRecords(3000, {}, 'gone')) await aborted.add(record)
  await aborted.abort()
  expect((await readdir(arrays)).sort()).toEqual(['corn.parquet', 'wheat.parquet'])
  expect((await loadAll(store, 'wheat')).size).toBe(5001)
  await expect(aborted.add(madeRecord('late'))).rejects.toThrow('closed')
})

test('a writer that meets a new column in the middle keeps the rows before and after', async () => {
  await using workspace = await temporaryStore()
  const writer = workspace.store.openWriter()
  for (const record of madeRecords(2100)) await writer.add(record)
  for (const record of madeRecords(2100, { extra: { X: [7] } }, 'x')) await writer.add(record)
  expect(await writer.close()).toBe(4200)
  const rows = await loadAll(workspace.store, 'wheat')
  expect([rows.size, rows.get('p-2099')?.extra, rows.get('x-9')?.extra]).toMatchObject([
    4200,
    { X: null },
    { X: { values: Float64Array.of(7) } },
  ])
})

test('two stores on one workspace: the second waits its turn or says who is busy', async () => {
  await using workspace = await temporaryStore()
  const writer = workspace.store.openWriter()
  await writer.add(madeRecord('p'))
  await expect(ArrayStore.open(workspace.root).saveBatch([madeRecord('q')])).rejects.toMatchObject({ code: 'workspace_busy' })
  await writer.close()
  expect(await ArrayStore.open(workspace.root).saveBatch([madeRecord('q')])).toBe(1)
  await expect(access(join(workspace.root, '.nirs-workspace'))).rejects.toThrow()
})

test('a writer that the disk refuses to begin says so in a coded error, gives the workspace back at once, and can begin again', async () => {
  await using workspace = await temporaryStore()
  const writer = workspace.store.openWriter()
  const refuse = (refused: (operation: DiskOperation) => boolean) =>
    setFaultHook((operation) => {
      if (refused(operation)) throw Object.assign(new Error('ENOSPC: refused'), { code: 'ENOSPC', syscall: 'write' })
    })
  try {
    refuse(({ kind, path }) => kind === 'mkdir' && path === workspace.arrays)
    await expect(writer.add(madeRecord('p'))).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    expect(await readdir(workspace.root)).toEqual([])
    expect(await ArrayStore.open(workspace.root).saveBatch([madeRecord('q')])).toBe(1)
    await writer.add(madeRecord('p'))
    refuse(({ path }) => path.endsWith('.part'))
    await expect(
      (async () => {
        for (const record of madeRecords(5000, {}, 'more')) await writer.add(record)
      })(),
    ).rejects.toMatchObject({ code: 'write_failed' })
    await expect(writer.close()).rejects.toMatchObject({ code: 'write_failed' })
  } finally {
    setFaultHook(undefined)
  }
  expect(await readdir(workspace.root)).toEqual(['arrays'])

  const busy = workspace.store.openWriter()
  const held = ArrayStore.open(workspace.root).openWriter()
  await held.add(madeRecord('r'))
  await expect(busy.add(madeRecord('s'))).rejects.toMatchObject({ code: 'workspace_busy' })
  await busy.abort()
  expect(await held.close()).toBe(1)
  expect(await workspace.store.saveBatch([madeRecord('s')])).toBe(1)
  expect(await readdir(workspace.root)).toEqual(['arrays'])
})
