import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import polars from 'nodejs-polars'
// biome-ignore lint/style/noRestrictedImports: an export must be readable by others, this reader among them
import { readParquet } from 'parquet-wasm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { SummaryBuilder } from '../array-store/summary-builder.ts'
import {
  type FixturePrediction,
  type FixtureWorkspace,
  fixtureWorkspace,
  writeArrayFile,
  writeArrayTable,
  writeCatalog,
} from '../arrays/testing/fixture-workspace.ts'
import { expectedFigures, sampleWorkspace } from '../arrays/testing/sample-workspace.ts'
import { openFilesBelow, treeHash } from '../arrays/testing/tree-hash.ts'
import { attachReadOnly, attachWritable, detach } from '../engine/attach-store.ts'
import { floatList, integerList } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { finishFile } from '../migration/finish-file.ts'
import { readFooter } from '../parquet/footer.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { type CountOptions, countExport } from './count-export.ts'
import type { DatasetExport, ExportContext } from './export-context.ts'
import { exportDataset } from './export-dataset.ts'
import { portableColumns } from './export-query.ts'

let workspace: FixtureWorkspace
beforeEach(async () => {
  workspace = await fixtureWorkspace()
})
afterEach(async () => {
  expect((await readdir(workspace.outside)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  expect(await openFilesBelow(workspace.root)).toEqual([])
  await workspace.remove()
})

const context = (): ExportContext => ({ resolved: workspace, catalog: { file: { path: workspace.catalogPath } } })
const request = (extra: Partial<DatasetExport> = {}): DatasetExport => ({
  dataset_name: 'soil pH',
  format: 'parquet',
  layout: 'prediction',
  csv_dialect: 'plain',
  target: join(workspace.outside, `out.${extra.format ?? 'parquet'}`),
  ...extra,
})
const soil = (prediction_id: string, extra: Partial<FixturePrediction> = {}): FixturePrediction => ({
  prediction_id,
  dataset_name: 'soil pH',
  array_source: 'arrays/soil_pH.parquet',
  arrays: { y_true: floatList([1, 2]), y_pred: floatList([1.5, 1.75]), sample_indices: integerList([7, 8]) },
  ...extra,
})

/** Array rows in the file; the catalog knows those that are not marked as orphans. */
const make = async (rows: readonly FixturePrediction[], orphans: readonly FixturePrediction[] = []): Promise<void> => {
  await writeArrayFile(join(workspace.root, 'arrays', 'soil_pH.parquet'), [
    ...orphans,
    ...rows.filter((row) => row.array_source === 'arrays/soil_pH.parquet'),
  ])
  await writeCatalog(workspace.catalogPath, [...new Map(rows.map((row) => [row.prediction_id, row])).values()])
}

const readRows = (path: string) =>
  withEngine({}, (engine) => engine.rows(z.record(z.string(), z.unknown()), 'SELECT * FROM read_parquet($path)', { path }))
const ids = async (path: string) => (await readRows(path)).map((row) => row.prediction_id)

describe('exportDataset', () => {
  it('test_export_parquet_single_dataset: the rows of the dataset, once each, as stored, and nothing else', async () => {
    await make(
      [soil('c'), soil('a', { arrays: { y_true: floatList([0]) } }), soil('a'), soil('b', { array_source: null, arrays: {} })],
      [soil('orphan'), soil('other', { dataset_name: 'soil_pH' }), soil('c', { arrays: { y_true: floatList([-1]) } })],
    )
    const before = await treeHash(workspace.root)
    const file = await exportDataset(context(), request())
    const rows = await readRows(file.path)
    expect(rows.map((row) => [row.prediction_id, row.y_true])).toEqual([
      ['c', [1, 2]],
      ['a', [1, 2]],
      ['b', null],
    ])
    const bytes = await readFile(file.path)
    const warnings = ['1 of 3 predictions was stored without arrays: its row has none.']
    expect(file).toMatchObject({ dataset_name: 'soil pH', rows: 3, bytes: bytes.length, warnings })
    expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(await treeHash(workspace.root)).toBe(before)
  })

  it('test_export_parquet_filtered: only what the filters let through', async () => {
    await make([soil('a', { partition: 'train' }), soil('b'), soil('c', { model_name: 'Ridge' })])
    const filtered = request({ filters: { equals: { partition: ['val'] } } })
    await expectFlushed(workspace.outside, 'an export', () => exportDataset(context(), filtered))
    const file = await exportDataset(context(), filtered)
    expect(await ids(file.path)).toEqual(['b', 'c'])
    const both = { equals: { partition: ['val'], model_name: ['Ridge'] } }
    expect(await ids((await exportDataset(context(), request({ filters: both }))).path)).toEqual(['c'])
  })

  it('is refused when it would hold no row, and keeps what was at the target', async () => {
    await make([soil('a', { partition: 'train' }), soil('b', { array_source: null, arrays: {} })])
    const { path } = await exportDataset(context(), request())
    const before = await readFile(path)
    const nothing = (extra: Partial<DatasetExport>, sentence: RegExp) =>
      expect(exportDataset(context(), request(extra))).rejects.toMatchObject({
        code: 'nothing_to_export',
        message: expect.stringMatching(sentence),
      })
    await nothing({ filters: { equals: { partition: ['test'] } } }, /^No prediction of "soil pH" passes the filters\./)
    const samples = { layout: 'sample' as const, filters: { equals: { partition: ['val'] } } }
    for (const format of ['parquet', 'csv', 'arrow'] as const) {
      await nothing({ ...samples, format }, /^No prediction of "soil pH" has arrays/)
    }
    await writeFile(join(workspace.root, 'arrays', '_tombstones.json'), JSON.stringify({ a: '2026-01-01T00:00:00+00:00' }))
    await nothing({ filters: { equals: { partition: ['train'] } } }, /have been removed\. Nothing was written\.$/)
    expect(await readFile(path)).toEqual(before)
  })

  it('leaves out tombstoned rows of files and says so, and none whose arrays a store has; a damaged list is a warning', async () => {
    await make([soil('a'), soil('b')])
    const list = join(workspace.root, 'arrays', '_tombstones.json')
    await writeFile(list, '{"a": "2026-01-01T00:00:00+00:00"}')
    const file = await exportDataset(context(), request())
    expect(await ids(file.path)).toEqual(['b'])
    expect(file.warnings).toHaveLength(1)
    const counted = (options: CountOptions = { arraysFolder: join(workspace.root, 'arrays') }) =>
      withEngine({}, async (engine) => {
        await attachReadOnly(engine, workspace.catalogPath, 'catalog')
        return countExport({ engine }, { layout: 'prediction' }, options)
      })
    const told = { dataset_name: 'soil pH', predictions: 1, removed: 1, without_arrays: 0 }
    expect(await counted()).toEqual({ predictions: 1, datasets: [told], removals_damaged: false })
    expect((await counted({})).predictions).toBe(2)
    workspace.duckdb = join(workspace.root, 'store.duckdb')
    const kept = [soil('a', { array_source: 'table' }), soil('b')]
    await writeArrayTable(workspace.duckdb, kept)
    await writeCatalog(`${workspace.catalogPath}.other`, kept)
    const inTable = await exportDataset({ ...context(), catalog: { file: { path: `${workspace.catalogPath}.other` } } }, request())
    expect([(await ids(inTable.path)).toSorted(), inTable.warnings]).toEqual([['a', 'b'], []])
    await writeFile(list, '[')
    expect((await exportDataset(context(), request())).warnings[0]).toContain('damaged')
    const all = { ...told, predictions: 2, removed: 0 }
    expect(await counted()).toEqual({ predictions: 2, datasets: [all], removals_damaged: true })
  })

  it('is told before it is made how many predictions were stored without arrays', async () => {
    await make([soil('a'), soil('b', { array_source: null, arrays: {} }), soil('c', { array_source: null, arrays: {} })])
    const layouts = ['prediction', 'sample'] as const
    const counts = await withEngine({}, async (engine) => {
      await attachReadOnly(engine, workspace.catalogPath, 'catalog')
      return Promise.all(layouts.map((layout) => countExport({ engine }, { layout })))
    })
    const told = { dataset_name: 'soil pH', removed: 0, without_arrays: 2 }
    expect(counts.map(({ datasets }) => datasets)).toEqual([[{ ...told, predictions: 3 }], [{ ...told, predictions: 1 }]])
    for (const layout of layouts) {
      expect((await exportDataset(context(), request({ layout }))).warnings).toEqual([
        expect.stringMatching(/^2 of 3 predictions were stored without arrays/),
      ])
    }
  })

  it('test_array_store_portable_columns: fourteen columns in order, then those of later releases', async () => {
    const extra = { sample_metadata: "'{}'", X: '[1.5, 2.5]::DOUBLE[]' }
    await make([soil('a', { extra }), soil('b', { extra: { sample_metadata: 'NULL::VARCHAR', X: 'NULL::DOUBLE[]' } })])
    const file = await exportDataset(context(), request())
    const [row] = await readRows(file.path)
    expect(Object.keys(row ?? {})).toEqual([...portableColumns.map(({ name }) => name), 'sample_metadata', 'X'])
    expect(row).toMatchObject({
      model_name: 'PLSRegression',
      fold_id: '0',
      partition: 'val',
      metric: 'rmse',
      val_score: 0.5,
      X: [1.5, 2.5],
    })
  })

  it('describes itself in the footer', async () => {
    await make([soil('a')])
    const file = await exportDataset(context(), request({ filters: { q: '' } }))
    const entries = await withEngine({}, (engine) =>
      engine.rows(
        z.object({ key: z.string(), value: z.string() }),
        'SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata($path)',
        { path: file.path },
      ),
    )
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).toMatchObject({
      'nirs_workspace.producer': 'NIRS Workspace',
      'nirs_workspace.format': 'nirs-workspace/export/1',
      'nirs_workspace.dataset_name': 'soil pH',
      'nirs_workspace.predictions': '1',
      'nirs_workspace.filters': '{"q":""}',
    })
  })

  it('test_export_reimport_portable: Polars, DuckDB, hyparquet and parquet-wasm read the same', async () => {
    const values = [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0]
    const arrays = {
      y_true: floatList(values),
      y_pred: floatList([1, null, 3]),
      y_proba: floatList([0.25, 0.75]),
      y_proba_shape: [1, 2],
      weights: floatList([]),
    }
    await make([soil('a', { arrays }), soil('b', { array_source: null })])
    const { path } = await exportDataset(context(), request())
    const expected = [
      { prediction_id: 'a', y_true: values, y_pred: [1, null, 3], y_proba: [0.25, 0.75], y_proba_shape: [1, 2], weights: [] },
      { prediction_id: 'b', y_true: null, y_pred: null, y_proba: null, y_proba_shape: null, weights: null },
    ]
    const names = portableColumns.map(({ name }) => name)
    const hyparquet = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
    expect(hyparquet.map((row) => pick(row))).toEqual(expected)
    expect((await readRows(path)).map(pick)).toEqual(expected)
    const arrow = tableFromIPC(readParquet(await readFile(path)).intoIPCStream())
    expect(arrow.schema.fields.map((field) => field.name)).toEqual(names)
    expect(arrow.toArray().map((row: { toJSON: () => Record<string, unknown> }) => pick(row.toJSON()))).toEqual(expected)
    const frame = polars.readParquet(path)
    expect(frame.columns).toEqual(names)
    expect(frame.getColumn('prediction_id').toArray()).toEqual(['a', 'b'])
    expect(frame.getColumn('y_proba').toArray()).toEqual([[0.25, 0.75], null])
  })

  it('layout sample: one row per sample, targets apart, no error for classes and for lists of different lengths', async () => {
    await make([
      soil('a'),
      soil('b', {
        arrays: { y_true: floatList([1, 10, 2, 20]), y_pred: floatList([1, 11, 2, null]), sample_indices: integerList([5, 6]) },
      }),
      soil('c', { task_type: 'binary_classification', arrays: { y_true: floatList([0]), y_pred: floatList([1]) } }),
      soil('d', { array_source: null }),
      soil('e', { arrays: { y_true: floatList([1]), y_pred: floatList([2, 3]), sample_indices: integerList([7]) } }),
      soil('f', { arrays: { y_true: floatList([1]), y_pred: floatList([]), sample_indices: integerList([7]) } }),
    ])
    const file = await exportDataset(context(), request({ layout: 'sample' }))
    expect([file.rows, file.warnings]).toEqual([10, ['1 of 6 predictions was stored without arrays: it has no row.']])
    const rows = (await readRows(file.path)).map((row) =>
      ['prediction_id', 'position', 'target', 'sample_index', 'y_true', 'y_pred', 'error'].map((name) => row[name]),
    )
    expect(rows).toEqual([
      ['a', 0, 0, 7, 1, 1.5, 0.5],
      ['a', 1, 0, 8, 2, 1.75, -0.25],
      ['b', 0, 0, 5, 1, 1, 0],
      ['b', 1, 1, 5, 10, 11, 1],
      ['b', 2, 0, 6, 2, 2, 0],
      ['b', 3, 1, 6, 20, null, null],
      ['c', 0, 0, null, 0, 1, null],
      ['e', 0, 0, null, 1, 2, null],
      ['e', 1, 0, null, null, 3, null],
      ['f', 0, 0, 7, 1, null, null],
    ])
  })

  it('exports the arrays of a legacy table, and of a table for what a Parquet file lacks', async () => {
    workspace.duckdb = join(workspace.root, 'store.duckdb')
    const legacy = soil('legacy', { array_source: 'table', arrays: { y_true: floatList([3]), y_proba: floatList([0, 1]) } })
    const lost = soil('lost', { arrays: { y_true: floatList([4]) } })
    await writeArrayTable(workspace.duckdb, [legacy, lost, soil('a', { arrays: { y_true: floatList([99]) } })])
    await writeArrayFile(join(workspace.root, 'arrays', 'soil_pH.parquet'), [soil('a')])
    await writeCatalog(workspace.catalogPath, [legacy, lost, soil('a')])
    const before = await treeHash(workspace.root)
    const rows = await readRows((await exportDataset(context(), request())).path)
    expect(rows.map((row) => [row.prediction_id, row.y_true, row.y_proba_shape])).toEqual([
      ['a', [1, 2], null],
      ['legacy', [3], [1, 2]],
      ['lost', [4], null],
    ])
    expect(await treeHash(workspace.root)).toBe(before)
  })

  it('refuses a column that two files have with different types instead of rounding one of them', async () => {
    const rounded = soil('a', { extra: { X: '[1]::INTEGER[]' } })
    const exact = soil('b', { array_source: 'arrays/more.parquet', extra: { X: '[0.5]::DOUBLE[]' } })
    await make([rounded, exact])
    await writeArrayFile(join(workspace.root, 'arrays', 'more.parquet'), [exact])
    await expect(exportDataset(context(), request())).rejects.toMatchObject({
      code: 'arrays_corrupt',
      message: 'X is DOUBLE[] in arrays/more.parquet and INTEGER[] in arrays/soil_pH.parquet. Nothing was changed.',
    })
  })
})

const pick = (row: Record<string, unknown>) =>
  Object.fromEntries(['prediction_id', 'y_true', 'y_pred', 'y_proba', 'y_proba_shape', 'weights'].map((name) => [name, plain(row[name])]))
const plain = (value: unknown): unknown => {
  if (value === null || value === undefined) return null
  if (typeof value === 'object' && Symbol.iterator in value) return Array.from(value as Iterable<unknown>, plain)
  return value
}

describe('CSV and Arrow', () => {
  const hostile = ['=cmd|x', '+1', '-1+2', '@SUM', '\tx', '\rx', 'a"b', 'a,b;c', 'line\nbreak', "it's", 'plain', '']

  it('N7: escapes text that a spreadsheet would run and leaves numbers alone', async () => {
    await make(hostile.map((model_name, index) => soil(`p${String(index).padStart(2, '0')}`, { model_name, val_score: -1.5e-3 })))
    const file = await exportDataset(context(), request({ format: 'csv' }))
    const rows = await withEngine({}, (engine) =>
      engine.rows(
        z.object({ model_name: z.string().nullable(), val_score: z.string() }),
        "SELECT model_name, val_score FROM read_csv($path, all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '\\N')",
        { path: file.path },
      ),
    )
    expect(rows.map((row) => row.model_name ?? '')).toEqual(hostile.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)))
    expect(new Set(rows.map((row) => row.val_score))).toEqual(new Set(['-0.0015']))
  })

  it('writes lists as JSON and non-finite numbers as words', async () => {
    await make([
      soil('a', {
        val_score: Number.NEGATIVE_INFINITY,
        arrays: { y_true: floatList([1.5, Number.NaN, null, Number.POSITIVE_INFINITY]), weights: floatList([]) },
      }),
    ])
    const { path } = await exportDataset(context(), request({ format: 'csv' }))
    expect((await readFile(path, 'utf8')).split('\n').slice(0, 2)).toEqual([
      portableColumns.map(({ name }) => name).join(','),
      'a,soil pH,PLSRegression,0,val,rmse,-Infinity,regression,"[1.5,""NaN"",null,""Infinity""]",,,,,[]',
    ])
  })

  it('writes what Excel in French opens: byte order mark, semicolons, decimal commas', async () => {
    await make([soil('a', { extra: { price: '-1.5::DECIMAL(10, 2)', prices: '[-1.5]::DECIMAL(10, 2)[]' } })])
    const cells = async (csv_dialect: DatasetExport['csv_dialect'], delimiter: string) =>
      (await readFile((await exportDataset(context(), request({ format: 'csv', csv_dialect }))).path, 'utf8'))
        .split('\n')[1]
        ?.split(delimiter)
        .slice(-2)
    expect(await cells('excel-fr', ';')).toEqual(['-1,50', '[-1.50]'])
    expect(await cells('plain', ',')).toEqual(['-1.50', '[-1.50]'])
    const { path } = await exportDataset(context(), request({ format: 'csv', layout: 'sample', csv_dialect: 'excel-fr' }))
    const text = await readFile(path, 'utf8')
    expect(text.startsWith('\ufeffprediction_id;dataset_name;')).toBe(true)
    expect(text.split('\n')[1]).toBe('a;soil pH;PLSRegression;0;val;rmse;regression;0;0;7;1,0;1,5;0,5')
  })

  it('writes an Arrow file that Arrow and Polars read', async () => {
    const arrays = { y_true: floatList([1, Number.NaN, null, -0]), sample_indices: integerList([1, null]), weights: floatList([]) }
    await make([soil('a', { arrays, val_score: null }), soil('b', { array_source: null })])
    const { path, rows } = await exportDataset(context(), request({ format: 'arrow' }))
    expect(rows).toBe(2)
    const table = tableFromIPC(await readFile(path))
    expect(table.schema.metadata.get('nirs_workspace.dataset_name')).toBe('soil pH')
    const [first, second] = table.toArray().map((row: { toJSON: () => Record<string, unknown> }) => row.toJSON())
    expect(first).toMatchObject({ prediction_id: 'a', val_score: null, y_pred: null })
    expect(['y_true', 'sample_indices', 'weights'].map((name) => plain(first?.[name]))).toEqual([[1, Number.NaN, null, -0], [1, null], []])
    expect(second).toMatchObject({ prediction_id: 'b', y_true: null })
    const frame = polars.readIPC(await readFile(path))
    expect(frame.shape).toEqual({ height: 2, width: portableColumns.length })
    expect(frame.getColumn('prediction_id').toArray()).toEqual(['a', 'b'])
  })
})

describe('refusals', () => {
  it('knows no other dataset, however it is called (N1, N4)', async () => {
    await make([soil('a')])
    for (const dataset_name of ['soil_pH', '../../etc/passwd', '', '__proto__', "x' OR '1'='1", '%']) {
      await expect(exportDataset(context(), request({ dataset_name }))).rejects.toMatchObject({ code: 'dataset_not_found' })
    }
  })

  it('writes nothing inside the workspace', async () => {
    await make([soil('a')])
    const before = await treeHash(workspace.root)
    for (const target of [
      join(workspace.root, 'x.parquet'),
      join(workspace.root, 'arrays', 'x.parquet'),
      join(workspace.outside, '..', 'workspace', 'x'),
    ]) {
      await expect(exportDataset(context(), request({ target }))).rejects.toMatchObject({ code: 'path_not_allowed' })
    }
    await expect(exportDataset(context(), request({ target: '/no/such/folder/x' }))).rejects.toMatchObject({ code: 'write_failed' })
    expect(await treeHash(workspace.root)).toBe(before)
  })

  it('says which file is damaged and keeps what was at the target', async () => {
    await make([soil('a')])
    await writeFile(join(workspace.root, 'arrays', 'soil_pH.parquet'), 'PAR1 nonsense PAR1')
    const target = join(workspace.outside, 'kept.parquet')
    await writeFile(target, 'before')
    await expect(exportDataset(context(), request({ target }))).rejects.toMatchObject({
      code: 'arrays_corrupt',
      message: expect.stringContaining('arrays/soil_pH.parquet'),
    })
    expect(await readFile(target, 'utf8')).toBe('before')
  })

  it('is refused when a file no longer has the arrays that the catalog saw there: they would come out as none', async () => {
    await make([soil('a'), soil('b'), soil('c'), soil('none', { array_source: null, arrays: {} })])
    await writeArrayFile(join(workspace.root, 'arrays', 'soil_pH.parquet'), [soil('b')])
    const gone = { code: 'arrays_missing', message: expect.stringContaining('prediction a and 1 more'), fields: { ids: ['a', 'c'] } }
    for (const layout of ['prediction', 'sample'] as const) {
      await expect(exportDataset(context(), request({ layout }))).rejects.toMatchObject(gone)
    }
    expect(await readdir(workspace.outside)).toEqual([])
    workspace.duckdb = join(workspace.root, 'store.duckdb')
    await writeArrayTable(workspace.duckdb, [soil('a')])
    await expect(exportDataset(context(), request())).rejects.toMatchObject({ fields: { ids: ['c'] } })
  })

  it('names the file whose pages cannot be decoded, for every format', async () => {
    await make([soil('a', { arrays: { y_true: floatList(Array.from({ length: 3000 }, (_, index) => Math.sin(index))) } })])
    const path = join(workspace.root, 'arrays', 'soil_pH.parquet')
    const bytes = await readFile(path)
    const at = bytes.lastIndexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), bytes.length / 2)
    bytes.fill(0xff, at, at + 40)
    await writeFile(path, bytes)
    for (const format of ['parquet', 'csv', 'arrow'] as const) {
      await expect(exportDataset(context(), request({ format }))).rejects.toMatchObject({
        code: 'arrays_corrupt',
        message: expect.stringContaining('arrays/soil_pH.parquet'),
      })
    }
  })

  it('hands on no value that has changed since we wrote the file', async () => {
    const path = join(workspace.root, 'arrays', 'soil_pH.parquet')
    await writeArrayFile(path, [soil('a', { arrays: { y_true: floatList([1.25, 2.5, 3.75]) } })], 'uncompressed')
    await writeCatalog(workspace.catalogPath, [soil('a')])
    const reader = new ParquetReader()
    await reader.open(path)
    const { checksums } = await reader.rowGroup(0, false)
    await reader.close()
    const summary = new SummaryBuilder().result()
    const data = createHash('sha256').update((await readFile(path)).subarray(0, (await readFooter(path)).start))
    await finishFile(path, summary, [checksums], data)
    expect((await exportDataset(context(), request())).rows).toBe(1)
    const bytes = await readFile(path)
    const at = bytes.indexOf(Buffer.from(Float64Array.of(1.25, 2.5, 3.75).buffer))
    bytes.set([(bytes[at + 6] ?? 0) ^ 1], at + 6)
    await writeFile(path, bytes)
    await expect(exportDataset(context(), request())).rejects.toMatchObject({
      code: 'arrays_corrupt',
      message: expect.stringContaining('arrays/soil_pH.parquet'),
    })
  })

  it('keeps no file in which a prediction stands twice', async () => {
    workspace.duckdb = join(workspace.root, 'store.duckdb')
    const row = soil('a', { array_source: 'table' })
    await writeArrayTable(workspace.duckdb, [row])
    await writeCatalog(workspace.catalogPath, [row])
    const store = workspace.duckdb
    // Of another program, which has left out the key.
    await withEngine({}, async (engine) => {
      await attachWritable(engine, store, 'store')
      await engine.run('CREATE TABLE store.double AS FROM store.prediction_arrays UNION ALL FROM store.prediction_arrays')
      await engine.run('DROP TABLE store.prediction_arrays; ALTER TABLE store.double RENAME TO prediction_arrays')
      await detach(engine, 'store')
    })
    for (const format of ['parquet', 'csv', 'arrow'] as const) {
      const refused = { code: 'verification_failed', message: expect.stringContaining('2 came out') }
      await expect(exportDataset(context(), request({ format }))).rejects.toMatchObject(refused)
    }
    expect((await readdir(workspace.outside)).filter((name) => name.startsWith('out.'))).toEqual([])
  })

  it('has its name only when it is whole; one that fails leaves what was there', async () => {
    await make([soil('a')])
    const { target } = request()
    await writeFile(target, 'older')
    const names = await readdir(workspace.outside)
    const seen: string[] = []
    setFaultHook(async ({ kind }) => {
      if (kind !== 'fsync') return
      seen.push(await readFile(target, 'latin1'))
      throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    })
    await expect(exportDataset(context(), request())).rejects.toThrow()
    setFaultHook(undefined)
    expect(seen).toEqual(['older'])
    expect(await readdir(workspace.outside)).toEqual(names)
  })

  it('stops when cancelled and leaves nothing', async () => {
    await make([soil('a')])
    await expect(exportDataset(context(), request({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ name: 'AbortError' })
    await mkdir(join(workspace.outside, 'empty'))
    expect(await readdir(workspace.outside)).toEqual(['empty'])
  })
})

describe.each([...expectedFigures.keys()])('sample workspace %s', (name) => {
  it('test_export_parquet_single_dataset: every dataset comes out whole and the workspace stays as it was', async () => {
    const sample = await sampleWorkspace(name)
    try {
      const before = await treeHash(sample.resolved.root)
      for (const [dataset, figures] of Object.entries(expectedFigures.get(name)?.datasets ?? {})) {
        const file = await exportDataset(sample, request({ dataset_name: dataset }))
        const rows = await readRows(file.path)
        expect(rows.length).toBe(figures.predictions)
        expect(rows.filter((row) => row.y_true !== null).length).toBe(figures.withArrayRow)
        expect(new Set(rows.map((row) => row.dataset_name))).toEqual(new Set([dataset]))
      }
      expect(await treeHash(sample.resolved.root)).toBe(before)
    } finally {
      await sample.remove()
    }
  })
})
