import { appendFile, copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTombstones } from '../arrays/tombstones.ts'
import { elementsOf } from '../engine/number-list.ts'
import { isStorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { readFooter } from '../parquet/footer.ts'
import { isSealIntact, readChecksums, readSummary } from '../parquet/own-metadata.ts'
import { makeParquet } from '../testing/make-store.ts'
import type { ArrayRecord } from './array-record.ts'
import { ArrayStore } from './array-store.ts'
import { bitsOf, loadAll, madeRecord, madeRecords, temporaryStore } from './testing/made-records.ts'

const elements = (list: Parameters<typeof elementsOf>[0] | null | undefined) => (list ? elementsOf(list) : null)

test('test_array_store_save_load: what is saved is loaded, bit for bit, alone, in a batch and as a dataset', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  const odd = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0001n, 0xfff0_0000_0000_0000n, 0x8000_0000_0000_0000n]).buffer)
  expect(
    await store.saveBatch([
      madeRecord('a', { y_true: odd, y_pred: [1, null, 3], weights: [] }),
      madeRecord('b', { y_true: null, y_pred: [], sample_indices: null, val_score: null, metric: null }),
    ]),
  ).toBe(2)
  const rows = await store.loadBatch(['a', 'b', 'missing'])
  expect([...rows.keys()].sort()).toEqual(['a', 'b'])
  expect(bitsOf(rows.get('a')?.y_true)).toEqual(bitsOf({ values: odd, nulls: null }))
  expect(elements(rows.get('a')?.y_pred)).toEqual([1, null, 3])
  expect(rows.get('a')?.weights?.values.length).toBe(0)
  expect(rows.get('b')).toMatchObject({ y_true: null, sample_indices: null, weights: null })
  expect(rows.get('b')?.y_pred?.values.length).toBe(0)
  expect(bitsOf((await store.loadSingle('a', 'wheat'))?.y_true)).toEqual(bitsOf({ values: odd, nulls: null }))
  expect(await store.loadSingle('missing')).toBeNull()
  expect(await store.loadSingle('a', 'corn')).toBeNull()
  expect((await loadAll(store, 'wheat')).get('b')).toMatchObject({ val_score: null, metric: null, model_name: 'PLSRegression', extra: {} })
})

test('test_array_store_absent_folder: a path without a folder is refused and stays so, unless a new one is asked for', async () => {
  await using workspace = await temporaryStore()
  const path = join(workspace.root, 'mistyped', 'folder')
  const store = ArrayStore.open(path)
  const writer = store.openWriter()
  for (const attempt of [
    () => store.saveBatch([madeRecord('a')]),
    () => writer.add(madeRecord('a')),
    () => store.deleteBatch(new Set(['a'])),
    () => store.loadBatch(['a']),
    () => loadAll(store, 'wheat'),
    () => store.stats(),
    () => store.integrityCheck(),
    () => store.listDatasets(),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ code: 'workspace_not_found', fields: { path } })
  }
  expect(await exists(join(workspace.root, 'mistyped'))).toBe(false)
  const created = ArrayStore.open(path, { create: true })
  expect(await created.listDatasets()).toEqual([])
  expect(await created.saveBatch([madeRecord('a')])).toBe(1)
  expect(await store.listDatasets()).toEqual(['wheat'])
})

test('test_array_store_single_file_per_dataset: every dataset has its file, with its rows and no others', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([...madeRecords(3, {}, 'w'), ...madeRecords(2, { dataset_name: 'corn' }, 'c')])
  expect(await readdir(arrays)).toEqual(['corn.parquet', 'wheat.parquet'])
  expect([...(await loadAll(store, 'wheat')).keys()]).toEqual(['w-0', 'w-1', 'w-2'])
  expect([...(await loadAll(store, 'corn')).keys()]).toEqual(['c-0', 'c-1'])
  expect(await store.listDatasets()).toEqual(['corn', 'wheat'])
  expect(await readdir(workspace.root)).toEqual(['arrays'])
})

test('test_array_store_empty: an empty batch and looking write nothing', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  expect(await store.saveBatch([])).toBe(0)
  expect((await store.loadBatch(['a'])).size).toBe(0)
  expect(await store.listDatasets()).toEqual([])
  expect(await store.stats()).toMatchObject({ total_files: 0, total_rows: 0, total_bytes: 0, datasets: [], tombstones: 0 })
  expect(await readdir(workspace.root)).toEqual([])
})

test('test_array_store_sweep: parts of dead processes go with the next change; those of this one and what is not ours stay', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch(madeRecords(2))
  const id = '01234567-89ab-4cde-8f01-23456789abcd'
  const dead = [`.nirs-${2 ** 22 + 1}-${id}.part`, `.${2 ** 22 + 1}-${id}.tmp`]
  const kept = [`.nirs-${process.pid}-${id}.part`, `.${process.pid}-${id}.tmp`, '.nirs-notes.part', `.${2 ** 22 + 1}-notes.tmp`]
  for (const name of [...dead, ...kept]) await writeFile(join(arrays, name), 'half a file')
  expect(await store.listDatasets()).toEqual(['wheat'])
  expect((await readdir(arrays)).length).toBe(7)
  await store.saveBatch([madeRecord('p-9')])
  expect((await readdir(arrays)).sort()).toEqual([...kept, 'wheat.parquet'].sort())
})

test('test_array_store_append: rows are added behind those that are there, which stay as they are, byte by byte', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const path = join(arrays, 'wheat.parquet')
  await store.saveBatch(madeRecords(5, {}, 'first'))
  const before = await readFile(path)
  const { start } = await readFooter(path)
  for (let round = 0; round < 4; round++) expect(await store.saveBatch(madeRecords(3, {}, `round-${round}`))).toBe(3)
  expect((await readFile(path)).subarray(0, start).equals(before.subarray(0, start))).toBe(true)
  expect((await loadAll(store, 'wheat')).size).toBe(17)
  const footer = await readFooter(path)
  expect(isSealIntact(footer.metadata)).toBe(true)
  expect(readChecksums(footer)).toMatchObject({ data_sha256: null, segments: { length: 5 }, row_groups: { length: 5 } })
  expect(readSummary(footer)).toMatchObject({ rows: 17, datasets: [{ name: 'wheat', rows: 17 }] })
  expect(await store.integrityCheck({ deep: true })).toMatchObject({ rows: 17, corrupt: [], duplicate_ids: [] })
})

test('test_array_store_idempotent: the same values again change no byte; other values count from then on', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const path = join(arrays, 'wheat.parquet')
  await store.saveBatch(madeRecords(4))
  const before = await readFile(path)
  expect(await store.saveBatch(madeRecords(4))).toBe(0)
  expect((await readFile(path)).equals(before)).toBe(true)
  expect(await readdir(arrays)).toEqual(['wheat.parquet'])
  expect(await store.saveBatch([madeRecord('p-1', { y_pred: [9] }), madeRecord('p-1', { y_pred: [7] }), madeRecord('p-2')])).toBe(1)
  expect(elements((await store.loadSingle('p-1'))?.y_pred)).toEqual([7])
  expect(elements((await loadAll(store, 'wheat')).get('p-1')?.y_pred)).toEqual([7])
  expect(await store.integrityCheck()).toMatchObject({ rows: 5, duplicate_ids: ['p-1'] })
  expect(readSummary(await readFooter(path))).toMatchObject({ rows: 4 })
  expect(await store.compact()).toMatchObject({ rows_removed: 1, files: [{ duplicates_removed: 1, tombstoned_removed: 0 }] })
  expect(elements((await store.loadSingle('p-1'))?.y_pred)).toEqual([7])
})

test('test_array_store_delete_compact: removed rows are gone at once, their bytes after the compaction', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const y = Array.from({ length: 500 }, (_, index) => Math.sin(index))
  await store.saveBatch(madeRecords(200).map((record, index) => ({ ...record, y_true: y.map((value) => value * index) })))
  const before = (await stat(join(arrays, 'wheat.parquet'))).size
  const removed = new Set(Array.from({ length: 120 }, (_, index) => `p-${index}`))
  expect(await store.deleteBatch(new Set([...removed, 'never-was']))).toBe(120)
  expect(await store.deleteBatch(removed)).toBe(0)
  expect((await loadAll(store, 'wheat')).size).toBe(80)
  expect(await store.loadSingle('p-5')).toBeNull()
  const report = await store.compact()
  expect(report).toMatchObject({ rows_removed: 120, tombstones_cleared: 120, corrupt: [], files: [{ rows_before: 200, rows_after: 80 }] })
  expect((await stat(join(arrays, 'wheat.parquet'))).size).toBeLessThan(before * 0.8)
  expect(await readdir(arrays)).toEqual(['wheat.parquet'])
  expect((await loadAll(store, 'wheat')).size).toBe(80)
  expect(readSummary(await readFooter(join(arrays, 'wheat.parquet')))).toMatchObject({ rows: 80 })
  const again = await readFile(join(arrays, 'wheat.parquet'))
  expect(await store.compact()).toMatchObject({ rows_removed: 0, tombstones_cleared: 0 })
  expect((await readFile(join(arrays, 'wheat.parquet'))).equals(again)).toBe(true)
})

test('test_array_store_compact_one: a prediction stays removed while a file that was not compacted has it, or cannot tell', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([...madeRecords(4), madeRecord('p-1', { dataset_name: 'corn' }), madeRecord('r-1', { dataset_name: 'rye' })])
  await store.deleteBatch(new Set(['p-1', 'p-2']))
  expect(await store.compact('wheat')).toMatchObject({ rows_removed: 2, tombstones_cleared: 1 })
  expect([...(await loadAll(store, 'corn')).keys()]).toEqual([])
  await store.deleteBatch(new Set(['p-3', 'r-1']))
  const sound = await readFile(join(arrays, 'rye.parquet'))
  await appendFile(join(arrays, 'rye.parquet'), 'rubbish')
  expect(await store.compact('wheat')).toMatchObject({ rows_removed: 1, corrupt: [], tombstones_cleared: 0 })
  await writeFile(join(arrays, 'rye.parquet'), sound)
  expect([...(await loadAll(store, 'rye')).keys()]).toEqual([])
})

test('test_array_store_delete_shared_id: with a dataset named, an id that another dataset has too is refused, and nothing is changed', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  // Both names lead to one file; barley has its own.
  const sharing = ['wheat.', 'wheat', 'barley'].map((dataset_name) => madeRecord(`of-${dataset_name}`, { dataset_name }))
  await store.saveBatch([...sharing, ...['wheat', 'barley'].map((dataset_name) => madeRecord('both', { dataset_name }))])
  await store.saveBatch(['wheat', 'wheat.'].map((dataset_name) => madeRecord('neighbours', { dataset_name })))
  for (const [id, other] of [
    ['both', 'barley'],
    ['neighbours', 'wheat.'],
  ] as const) {
    await expect(store.deleteBatch(new Set(['of-wheat', id]), 'wheat')).rejects.toMatchObject({
      code: 'validation',
      message: expect.stringMatching(new RegExp(`"${id}".*"${other}".*Nothing was changed`)),
      fields: { ids: [id], hint: expect.stringContaining('Without') },
    })
  }
  expect(await readdir(arrays)).not.toContain('_tombstones.json')
  expect(await store.deleteBatch(new Set(['of-wheat', 'of-barley']), 'wheat')).toBe(1)
  expect([...(await store.loadBatch(['of-wheat', 'of-barley'])).keys()]).toEqual(['of-barley'])
  await writeFile(join(arrays, 'corn.parquet'), 'not an array file')
  await expect(store.deleteBatch(new Set(['of-barley']), 'barley')).rejects.toMatchObject({
    code: 'arrays_corrupt',
    message: expect.stringMatching(/corn\.parquet.*Nothing was changed/),
  })
  expect(await store.loadSingle('of-barley')).not.toBeNull()
  expect(await store.deleteBatch(new Set(['both']))).toBe(1)
  expect(await store.loadSingle('both')).toBeNull()
})

test('test_array_store_upsert_clears_tombstone: a saved prediction is no longer removed, nor is a restored one', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  await store.saveBatch(madeRecords(4))
  await store.deleteBatch(new Set(['p-0', 'p-1', 'p-2']))
  expect(await store.saveBatch([madeRecord('p-0'), madeRecord('p-1', { y_pred: [5] })])).toBe(1)
  expect(await store.restoreBatch(new Set(['p-2', 'p-3']))).toBe(1)
  await store.compact()
  expect([...(await loadAll(store, 'wheat')).keys()].sort()).toEqual(['p-0', 'p-1', 'p-2', 'p-3'])
})

test('test_array_store_upsert_elsewhere: a removed row does not come back when its id is saved in another dataset', async () => {
  await using workspace = await temporaryStore()
  await using other = await temporaryStore()
  const { store, arrays, root } = workspace
  // Two names that lead to one file, and one with a file of its own.
  const [here, there, far] = ['a b', 'a_b', 'corn'].map((dataset_name) => (id: string) => madeRecord(id, { dataset_name, y_pred: [1] }))
  if (here === undefined || there === undefined || far === undefined) throw new Error('There are three datasets.')
  await store.saveBatch([...['one', 'two', 'three', 'stays', 'gone'].map(here), far('one'), far('kept')])
  await store.saveBatch([madeRecord('one', { dataset_name: 'a b', y_pred: [2] })])
  await store.deleteBatch(new Set(['one', 'two', 'three', 'gone']))
  const idsOf = async (dataset: string) => [...(await loadAll(store, dataset)).keys()].sort()

  await writeFile(join(arrays, 'rye.parquet'), 'not an array file')
  const before = await readFile(join(arrays, 'a_b.parquet'))
  await expect(store.saveBatch([there('one')])).rejects.toMatchObject({
    code: 'arrays_corrupt',
    message: expect.stringMatching(/rye\.parquet.*Nothing was changed/),
  })
  expect((await readFile(join(arrays, 'a_b.parquet'))).equals(before)).toBe(true)
  expect(await store.saveBatch([far('new')])).toBe(1)
  await rm(join(arrays, 'rye.parquet'))

  expect(await store.saveBatch([there('one')])).toBe(1)
  const writer = store.openWriter()
  await writer.add(far('two'))
  expect(await writer.close()).toBe(1)
  await other.store.saveBatch([far('three')])
  await other.store.copyRows(new Set(['three']), join(root, 'copied.parquet'))
  expect(await store.appendFile(join(root, 'copied.parquet'))).toBe(1)
  const expected = [['stays'], ['one'], ['kept', 'new', 'three', 'two']]
  expect(await Promise.all(['a b', 'a_b', 'corn'].map(idsOf))).toEqual(expected)
  expect([...(await readTombstones(arrays)).keys()]).toEqual(['gone'])
  await store.compact()
  expect(await Promise.all(['a b', 'a_b', 'corn'].map(idsOf))).toEqual(expected)
  expect((await store.integrityCheck({ deep: true })).corrupt).toEqual([])
})

test('times of removal are written as nirs4all writes them; those with a Z stay readable', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch(madeRecords(2))
  await writeFile(join(arrays, '_tombstones.json'), '{"p-0": "2026-01-02T03:04:05.678Z"}')
  expect(await store.deleteBatch(new Set(['p-0', 'p-1']))).toBe(1)
  expect(await readTombstones(arrays)).toEqual(
    new Map([
      ['p-0', '2026-01-02T03:04:05.678Z'],
      ['p-1', expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}\+00:00$/)],
    ]),
  )
})

test('test_validated_compaction: what the metadata knows stays, whatever the list of removed predictions says', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch(madeRecords(4))
  await store.deleteBatch(new Set(['p-0', 'p-1']))
  const report = await store.compact(undefined, { isKnown: async (ids) => new Set(ids.filter((id) => id === 'p-1')) })
  expect(report).toMatchObject({ rows_removed: 1, tombstones_cleared: 2 })
  expect([...(await loadAll(store, 'wheat')).keys()].sort()).toEqual(['p-1', 'p-2', 'p-3'])
  expect(await readdir(arrays)).toEqual(['wheat.parquet'])
})

test('a damaged list of removed predictions stops what removes rows; reading and saving go on', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch(madeRecords(3))
  // A row that has been replaced: something that a compaction would drop.
  await store.saveBatch([madeRecord('p-2', { y_pred: [9] })])
  await writeFile(join(arrays, '_tombstones.json'), '{"p-0": ')
  const before = await readFile(join(arrays, 'wheat.parquet'))
  for (const work of [() => store.compact(), () => store.deleteBatch(new Set(['p-1'])), () => store.restoreBatch(new Set(['p-0']))]) {
    await expect(work()).rejects.toMatchObject({ code: 'tombstones_corrupt' })
  }
  expect((await readFile(join(arrays, 'wheat.parquet'))).equals(before)).toBe(true)
  expect((await loadAll(store, 'wheat')).size).toBe(3)
  expect(await store.saveBatch([madeRecord('p-9')])).toBe(1)
  expect(await readFile(join(arrays, '_tombstones.json'), 'utf8')).toBe('{"p-0": ')
  expect(await store.stats()).toMatchObject({ tombstones: null })
})

test('test_array_store_y_proba_shape: class probabilities keep their rows and columns; without them there is no shape', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  const proba = {
    y_true: [1, 0, 1],
    y_pred: [1, 0, 0],
    sample_indices: [0, 1, 2],
    y_proba: [0.1, 0.9, 0.8, 0.2, 0.5, 0.5],
    y_proba_shape: [3, 2],
    task_type: 'classification',
  }
  await store.saveBatch([madeRecord('class', proba), madeRecord('number')])
  expect(await store.loadSingle('class')).toMatchObject({ y_proba_shape: [3, 2] })
  expect(elements((await store.loadSingle('class'))?.y_proba)).toEqual(proba.y_proba)
  expect(await store.loadSingle('number')).toMatchObject({ y_proba: null, y_proba_shape: null })
  const wrong: Partial<ArrayRecord>[] = [
    { y_proba_shape: [2, 2] },
    { y_proba_shape: [-3, -2] },
    { y_proba_shape: { values: Int32Array.of(3, 2), nulls: Uint8Array.of(0, 1) } },
    { y_proba_shape: [2, 3] },
    { y_proba: [], y_proba_shape: [0, 2] },
  ]
  for (const over of wrong) {
    const bad = madeRecord('bad', { ...proba, ...over })
    await expect(store.saveBatch([madeRecord('good'), bad])).rejects.toMatchObject({ code: 'validation' })
    const writer = store.openWriter()
    await expect(writer.add(bad)).rejects.toMatchObject({ code: 'validation' })
    await writer.abort()
  }
  // Several targets one after the other, what comes of arrays that had no shape, and nothing to compare with.
  const right: Partial<ArrayRecord>[] = [
    { y_true: [1, 0, 1, 0, 1, 0], y_pred: null },
    { y_proba_shape: [6] },
    { y_true: null },
    { y_true: [], y_proba: [], y_proba_shape: [0, 2] },
    // Two targets of one sample, or what somebody has lost values of: its arrays stay what can be saved again.
    { y_true: [1, 0], y_pred: [1], sample_indices: null, y_proba: [0.2, 0.3, 0.5], y_proba_shape: [1, 3] },
  ]
  expect(await store.saveBatch(right.map((over, index) => madeRecord(`right-${index}`, { ...proba, ...over })))).toBe(right.length)
  expect([...(await loadAll(store, 'wheat')).keys()]).toEqual(['class', 'number', ...right.map((_, index) => `right-${index}`)])
  expect(await store.saveBatch([...(await loadAll(store, 'wheat')).values()])).toBe(0)
})

test('a deep check names predictions whose class probabilities have a negative shape, whoever wrote them', async () => {
  await using workspace = await temporaryStore()
  const { root, store, arrays } = workspace
  const made = join(root, 'made.parquet')
  await makeParquet(made, [{ id: 'sound' }, { id: 'odd', shape: [-1, -2] }, { id: 'odd too', shape: [-2, -1] }])
  await store.appendFile(made)
  await copyFile(made, join(arrays, 'by another.parquet'))
  const odd = { row_group: 0, columns: ['y_proba_shape'], prediction_ids: ['odd', 'odd too'], datasets: ['wheat'] }
  expect((await store.integrityCheck({ deep: true })).corrupt).toEqual(
    ['arrays/by another.parquet', 'arrays/wheat.parquet'].map((file) => ({ ...odd, file, reason: expect.stringContaining('negative') })),
  )
  expect((await store.integrityCheck()).corrupt).toEqual([])
})

test('test_array_store_integrity_check: orphans, missing ones, duplicates and damage are told apart', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([...madeRecords(4), ...madeRecords(2, { dataset_name: 'corn' }, 'c')])
  await store.deleteBatch(new Set(['p-3']))
  const expectedIds = new Set(['p-0', 'p-1', 'c-0', 'c-1', 'lost'])
  expect(await store.integrityCheck({ expectedIds, deep: true })).toMatchObject({
    files: 2,
    rows: 6,
    orphan_ids: ['p-2'],
    missing_ids: ['lost'],
    duplicate_ids: [],
    corrupt: [],
    tombstones_corrupt: false,
  })
  await writeFile(join(arrays, 'torn.parquet'), 'PAR1')
  expect(await store.integrityCheck()).toMatchObject({ corrupt: [{ file: 'arrays/torn.parquet', row_group: null }] })
  expect(await store.stats()).toMatchObject({ total_files: 3, total_rows: 6, unreadable: ['arrays/torn.parquet'] })
})

test('a flipped bit is found by the deep check, which names the group, the column and the ids; a read that touches it refuses', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch(madeRecords(3, {}, 'one'))
  const path = join(arrays, 'wheat.parquet')
  const { start } = await readFooter(path)
  await store.saveBatch(madeRecords(3, {}, 'two'))
  const bytes = await readFile(path)
  const second = await readFooter(path)
  const place = start + Math.floor((second.start - start) * 0.6)
  bytes[place] = (bytes[place] ?? 0) ^ 4
  await writeFile(path, bytes)
  const { corrupt } = await store.integrityCheck({ deep: true })
  expect(corrupt).toMatchObject([{ file: 'arrays/wheat.parquet', row_group: 1, datasets: ['wheat'] }])
  expect(corrupt[0]?.prediction_ids).toEqual(['two-0', 'two-1', 'two-2'])
  expect(corrupt[0]?.columns).toHaveLength(1)
  await expect(store.loadSingle('two-1')).rejects.toMatchObject({ code: 'arrays_corrupt' })
  expect(await store.loadSingle('one-1')).not.toBeNull()
})

test('test_array_store_delete_dataset: the rows of one dataset go, others of the same file stay', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([
    ...madeRecords(3, { dataset_name: 'a b' }, 'space'),
    ...madeRecords(2, { dataset_name: 'a_b' }, 'line'),
    madeRecord('w'),
  ])
  expect(await readdir(arrays)).toEqual(['a_b.parquet', 'wheat.parquet'])
  expect(await store.deleteDataset('a b')).toBe(true)
  expect(await store.deleteDataset('a b')).toBe(false)
  expect([...(await loadAll(store, 'a_b')).keys()]).toEqual(['line-0', 'line-1'])
  expect(await store.listDatasets()).toEqual(['a_b', 'wheat'])
  expect(await store.deleteDataset('wheat')).toBe(true)
  expect(await readdir(arrays)).toEqual(['a_b.parquet'])
})

test('test_array_store_stats: files, rows and bytes per dataset', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  await store.saveBatch([
    ...madeRecords(6, { dataset_name: 'a b' }, 'space'),
    ...madeRecords(2, { dataset_name: 'a.b' }, 'dot'),
    madeRecord('w'),
  ])
  const stats = await store.stats()
  expect(stats).toMatchObject({ total_files: 2, total_rows: 9, tombstones: 0, unreadable: [] })
  expect(stats.datasets.map(({ name, rows }) => [name, rows])).toEqual([
    ['a b', 6],
    ['a.b', 2],
    ['wheat', 1],
  ])
  expect(stats.datasets.reduce((bytes, dataset) => bytes + dataset.bytes, 0)).toBe(stats.total_bytes)
})

test('columns of later releases are kept, added to older files and carried through compaction', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  await store.saveBatch(madeRecords(2, {}, 'old'))
  await store.saveBatch([
    madeRecord('new', { extra: { sample_metadata: '{"plot": 7}', X: [1, Number.NaN], X_shape: Int32Array.of(1, 2) } }),
  ])
  await store.saveBatch([madeRecord('later', { extra: { X: [5], score: 2.5 } })])
  const rows = await loadAll(store, 'wheat')
  expect(rows.get('old-0')?.extra).toMatchObject({ sample_metadata: null, X: null, X_shape: null, score: null })
  expect(rows.get('new')?.extra).toMatchObject({ sample_metadata: '{"plot": 7}', X_shape: { values: Int32Array.of(1, 2) }, score: null })
  expect(rows.get('later')?.extra).toMatchObject({ score: 2.5 })
  await store.deleteBatch(new Set(['old-0']))
  await store.compact()
  expect((await loadAll(store, 'wheat')).get('new')?.extra).toMatchObject({ sample_metadata: '{"plot": 7}' })
  // A record that was read can be saved again as it is.
  expect(await store.saveBatch([...(await loadAll(store, 'wheat')).values()])).toBe(0)
})

test('what no column can hold is refused before anything is written', async () => {
  await using workspace = await temporaryStore()
  const { store } = workspace
  const wrong: Parameters<typeof madeRecord>[1][] = [
    { prediction_id: '' },
    { dataset_name: '\ud800' },
    { sample_indices: [0.5] },
    { sample_indices: [2 ** 31] },
    { extra: { Y_TRUE: [1] } },
    { extra: { y_true: [1] } },
  ]
  for (const over of wrong) {
    await expect(store.saveBatch([madeRecord('good'), madeRecord('bad', over)])).rejects.toSatisfy((error) =>
      isStorageError(error, 'validation'),
    )
  }
  expect(await store.listDatasets()).toEqual([])
})
