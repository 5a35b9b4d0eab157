import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { refuseChanged } from '../arrays/refuse-changed.ts'
import { damageUnseen, writeWithPolars } from './testing/foreign-damage.ts'
import { madeRecord, temporaryStore } from './testing/made-records.ts'

test('damage in a file of another program over which DuckDB reads is found, and nothing is copied from there as if it were sound', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const path = join(arrays, 'wheat.parquet')
  await mkdir(arrays, { recursive: true })
  writeWithPolars(path)
  await refuseChanged(store.root, 'arrays/wheat.parquet')
  expect((await store.integrityCheck({ deep: true })).corrupt).toEqual([])
  await damageUnseen(path)
  const bytes = await readFile(path)
  expect((await store.integrityCheck({ deep: true })).corrupt).toMatchObject([{ file: 'arrays/wheat.parquet', row_group: 0 }])
  const refused = { code: 'arrays_corrupt' }
  await expect(refuseChanged(store.root, 'arrays/wheat.parquet')).rejects.toMatchObject(refused)
  await expect(store.saveBatch([madeRecord('new')])).rejects.toMatchObject(refused)
  await expect(store.copyRows(new Set(['p-3']), join(store.root, 'copied.parquet'))).rejects.toMatchObject(refused)
  await store.deleteBatch(new Set(['p-1']))
  const { corrupt, rows_removed } = await store.compact()
  expect(corrupt).toMatchObject([{ file: 'arrays/wheat.parquet' }])
  expect(rows_removed).toBe(0)
  expect((await readFile(path)).equals(bytes)).toBe(true)
})
