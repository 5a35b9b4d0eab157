import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pl from 'nodejs-polars'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { refuseChanged } from '../arrays/refuse-changed.ts'
import { withEngine } from '../engine/open-engine.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { madeRecord, temporaryStore } from './testing/made-records.ts'

const rows = 40

/** As nirs4all writes array files. */
const writeWithPolars = (path: string): void => {
  const values = (shift: number) =>
    Array.from({ length: rows }, (_, row) => Array.from({ length: 60 }, (_, at) => Math.sin(row * 7.3 + at * 1.7 + shift)))
  const names = Array.from({ length: rows }, (_, row) => `p-${row}`)
  const frame = pl.DataFrame({ prediction_id: names, dataset_name: names.map(() => 'wheat'), y_true: values(1), y_pred: values(2) })
  frame.writeParquet(path, { compression: 'zstd' })
}

const readByDuckdb = (path: string): Promise<boolean> =>
  withEngine({}, (engine) =>
    engine.one(
      z.object({ sum: z.number() }),
      `SELECT sum(length(prediction_id) + length(dataset_name) + list_sum(y_true) + list_sum(y_pred)) AS sum FROM '${path}'`,
    ),
  ).then(
    () => true,
    () => false,
  )

const readByParquetWasm = async (path: string): Promise<boolean> => {
  const reader = new ParquetReader()
  try {
    await reader.open(path)
    await reader.rowGroup(0, false)
    return true
  } catch {
    return false
  } finally {
    await reader.close()
  }
}

/** Puts eight other bytes where DuckDB does not notice. */
const damage = async (path: string): Promise<void> => {
  const sound = await readFile(path)
  for (let at = 200; at < sound.length - 2000; at += 97) {
    const bytes = Buffer.from(sound)
    bytes.write('junkjunk', at, 'latin1')
    await writeFile(path, bytes)
    if ((await readByDuckdb(path)) && !(await readByParquetWasm(path))) return
  }
  throw new Error('DuckDB notices everything: this test has nothing left to show.')
}

test('damage in a file of another program over which DuckDB reads is found, and nothing is copied from there as if it were sound', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  const path = join(arrays, 'wheat.parquet')
  await mkdir(arrays, { recursive: true })
  writeWithPolars(path)
  await refuseChanged(store.root, 'arrays/wheat.parquet')
  expect((await store.integrityCheck({ deep: true })).corrupt).toEqual([])
  await damage(path)
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
