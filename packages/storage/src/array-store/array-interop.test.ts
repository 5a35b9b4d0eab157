import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import pl from 'nodejs-polars'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { sameColumn } from '../parquet/column-block.ts'
import { readFooter } from '../parquet/footer.ts'
import { readChecksums, readSummary } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { joinBlocks } from '../parquet/take-rows.ts'
import { copyWorkspace, hasSharedWorkspaces, sharedWorkspaceNames } from '../testing/shared-workspaces.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { ArrayStore } from './array-store.ts'
import { bitsOf, loadAll, madeRecord, madeRecords, temporaryStore } from './testing/made-records.ts'

/** A file of three appends, one of them with nulls of all kinds. */
const appendedFile = async (store: ArrayStore, arrays: string): Promise<string> => {
  await store.saveBatch(madeRecords(700, {}, 'first'))
  await store.saveBatch([madeRecord('odd', { y_true: [1, null, -0], y_pred: null, sample_indices: [], val_score: null, fold_id: null })])
  await store.saveBatch(madeRecords(300, {}, 'third'))
  return join(arrays, 'wheat.parquet')
}

const bits = (values: readonly (number | null)[]) => bitsOf({ values: Float64Array.from(values, (one) => one ?? 0), nulls: null })

test('parquet-wasm, DuckDB, hyparquet and polars read an appended file the same', async () => {
  await using workspace = await temporaryStore()
  const path = await appendedFile(workspace.store, workspace.arrays)
  const wasm = new ParquetReader()
  const { rowGroups } = await wasm.open(path)
  const decoded = joinBlocks(await Promise.all(Array.from({ length: rowGroups }, async (_, group) => (await wasm.rowGroup(group)).block)))
  await wasm.close()
  const duck = await withEngine({ threads: 1 }, async (engine) => {
    const blocks = []
    for await (const block of readBlocks(engine, `SELECT * FROM read_parquet(${quotedString(path)}, hive_partitioning = false)`))
      blocks.push(block)
    return joinBlocks(blocks)
  })
  expect(decoded.map(({ name }) => name)).toEqual(duck.map(({ name }) => name))
  const differing = decoded.filter((column, index) => duck[index] === undefined || !sameColumn(column, duck[index]))
  expect(differing.map(({ name }) => name)).toEqual([])

  const mine = await loadAll(workspace.store, 'wheat')
  const Row = z.looseObject({ prediction_id: z.string(), y_true: z.array(z.number().or(z.nan()).nullable()).nullable() })
  const hyparquet = (await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })).map((row) => Row.parse(row))
  const polars = pl
    .readParquet(path)
    .select('prediction_id', 'y_true')
    .toRecords()
    .map((row) => Row.parse(row))
  for (const rows of [hyparquet, polars]) {
    expect(rows.map((row) => row.prediction_id)).toEqual([...mine.keys()])
    for (const row of rows) {
      const expected = mine.get(row.prediction_id)?.y_true
      expect(bits(row.y_true ?? [])).toEqual(
        bits(
          expected === null || expected === undefined
            ? []
            : Array.from(expected.values, (value, at) => (expected.nulls?.[at] === 1 ? 0 : value)),
        ),
      )
    }
  }
})

test('test_array_store_portable_columns: a file alone tells model, fold, partition, metric, score and task to any reader', async () => {
  await using workspace = await temporaryStore()
  await workspace.store.saveBatch([madeRecord('a', { val_score: 0.25, fold_id: 'avg' })])
  const rows = await withEngine({}, (engine) =>
    engine.rows(z.looseObject({}), `SELECT * FROM read_parquet(${quotedString(join(workspace.arrays, 'wheat.parquet'))})`),
  )
  expect(rows).toMatchObject([
    {
      prediction_id: 'a',
      dataset_name: 'wheat',
      model_name: 'PLSRegression',
      fold_id: 'avg',
      partition: 'val',
      metric: 'rmse',
      val_score: 0.25,
      task_type: 'regression',
    },
  ])
})

const writeForeign = (path: string, columns: string, codec: string) =>
  withEngine({}, (engine) =>
    engine.run(
      `COPY (SELECT 'f-' || i AS prediction_id, 'wheat' AS dataset_name, ${columns}, [i / 3, NULL, 'NaN'::DOUBLE, -0.0::DOUBLE] AS y_true,
         CASE WHEN i % 5 = 0 THEN NULL ELSE [i::DOUBLE] END AS y_pred, [i]::INTEGER[] AS sample_indices FROM range(5000) t(i))
       TO ${quotedString(path)} (FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE 2048)`,
    ),
  )

test.each([
  [
    'the library',
    "'PLS' AS model_name, '0' AS fold_id, 'val' AS partition, 'rmse' AS metric, i / 10 AS val_score, 'regression' AS task_type",
    'zstd',
    true,
  ],
  [
    'a release with other columns',
    "'PLS' AS model_name, 'val' AS partition, i::FLOAT AS val_score, '{}' AS sample_metadata",
    'snappy',
    false,
  ],
])('a file written by %s takes more rows and keeps those it has', async (_, columns, codec, grows) => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([madeRecord('other', { dataset_name: 'corn' })])
  const path = join(arrays, 'wheat.parquet')
  await writeForeign(path, columns, codec)
  const before = await loadAll(store, 'wheat')
  const { start } = await readFooter(path)
  const data = (await readFile(path)).subarray(0, start)
  expect(await store.saveBatch([madeRecord('new', { weights: grows ? null : [1] }), ...madeRecords(9)])).toBe(10)
  const after = await loadAll(store, 'wheat')
  expect(after.size).toBe(5010)
  for (const [id, row] of before)
    expect([id, bitsOf(after.get(id)?.y_true), after.get(id)?.val_score]).toEqual([id, bitsOf(row.y_true), row.val_score])
  const footer = await readFooter(path)
  if (grows) {
    expect((await readFile(path)).subarray(0, start).equals(data)).toBe(true)
    // Nobody has noted what the rows of the other program were; those that were added are covered.
    expect(readChecksums(footer)?.row_groups.map((group) => group.length)).toEqual([0, 0, 0, 11])
    expect(readChecksums(footer)?.segments).toMatchObject([{ sha256: null }, { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }])
  }
  expect(readSummary(footer)).toMatchObject({ rows: 5010, datasets: [{ name: 'wheat', rows: 5010 }] })
  expect(await store.integrityCheck({ deep: true })).toMatchObject({ corrupt: [], duplicate_ids: [], rows: 5011 })
  await store.deleteBatch(new Set(['f-7', 'new']))
  expect(await store.compact()).toMatchObject({ rows_removed: 2, corrupt: [] })
  expect((await loadAll(store, 'wheat')).size).toBe(5008)
  expect(await store.integrityCheck({ deep: true })).toMatchObject({ corrupt: [] })
})

test('a column that this release cannot write again keeps a file from being rewritten, not from being read', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  await store.saveBatch([madeRecord('other', { dataset_name: 'corn' })])
  const path = join(arrays, 'wheat.parquet')
  await writeForeign(path, "DATE '2026-01-01' AS day", 'zstd')
  const before = await readFile(path)
  expect((await loadAll(store, 'wheat')).size).toBe(5000)
  await expect(store.saveBatch([madeRecord('new')])).rejects.toMatchObject({ code: 'store_too_new' })
  await store.deleteBatch(new Set(['f-1']))
  expect(await store.compact()).toMatchObject({ corrupt: [{ file: 'arrays/wheat.parquet' }], tombstones_cleared: 0 })
  expect((await readFile(path)).equals(before)).toBe(true)
})

test('files of every release take more rows; the columns they had stay', async () => {
  if (!hasSharedWorkspaces()) return
  for (const name of sharedWorkspaceNames.filter((one) => ['hybrid-0.8.1', 'sqlite-0.9.4', 'sqlite-0.11'].includes(one))) {
    await using copy = await copyWorkspace(name)
    const store = ArrayStore.open(copy.path)
    const before = await loadAll(store, 'grain_protein')
    expect(before.size).toBeGreaterThan(0)
    const [first] = before.values()
    expect(
      await store.saveBatch([
        madeRecord('added', { dataset_name: 'grain_protein' }),
        { ...first, prediction_id: 'copied', dataset_name: 'grain_protein' },
      ]),
    ).toBe(2)
    const after = await loadAll(store, 'grain_protein')
    expect(after.get('copied')).toEqual({ ...first, prediction_id: 'copied' })
    for (const [id, row] of before) expect(after.get(id)).toEqual(row)
    await store.deleteBatch(new Set(['added']))
    await store.compact()
    expect((await loadAll(store, 'grain_protein')).get('copied')).toEqual({ ...first, prediction_id: 'copied' })
    expect(await store.integrityCheck({ deep: true })).toMatchObject({ corrupt: [] })
  }
})

test('the deep check of the workspace agrees with files that rows were added to', async () => {
  if (!hasSharedWorkspaces()) return
  await using copy = await copyWorkspace('hybrid-0.8.1')
  const store = ArrayStore.open(copy.path)
  await store.saveBatch([madeRecord('added', { dataset_name: 'grain_protein' })])
  await store.saveBatch([madeRecord('again', { dataset_name: 'grain_protein' })])
  const damage = async () =>
    (await verifyWorkspace(copy.path, { depth: 'deep' })).findings.filter(({ code }) => /corrupt|checksum_/.test(code))
  expect(await damage()).toEqual([])
  const path = join(copy.path, 'arrays', 'grain_protein.parquet')
  const bytes = await readFile(path)
  const footer = await readFooter(path)
  bytes[footer.start - 20] = (bytes[footer.start - 20] ?? 0) ^ 1
  await writeFile(path, bytes)
  expect(await damage()).not.toEqual([])
})
