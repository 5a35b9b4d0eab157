import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quotedString } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { RowReader, readBlocks } from '../engine/read-blocks.ts'
import { rowsOf, sameColumn } from '../parquet/column-block.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import type { GroupDigest } from '../parquet/group-digest.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { ParquetWriter } from '../parquet/parquet-writer.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { openQueries } from './row-source.ts'
import { type SourceDigest, stageFile } from './stage-file.ts'
import type { StagedFile } from './staged-file.ts'
import { verifyStaged } from './verify-staged.ts'

const forms: ColumnForm[] = [
  { name: 'prediction_id', type: 'VARCHAR' },
  { name: 'dataset_name', type: 'VARCHAR' },
  { name: 'val_score', type: 'DOUBLE' },
  { name: 'count', type: 'INTEGER' },
  { name: 'y_true', type: 'DOUBLE[]' },
  { name: 'y_pred', type: 'DOUBLE[]' },
  { name: 'y_proba', type: 'DOUBLE[]' },
  { name: 'sample_indices', type: 'INTEGER[]' },
  { name: 'weights', type: 'DOUBLE[]' },
]

/** Every bit pattern that matters, next to plain numbers. */
const doubles = [
  "'NaN'::DOUBLE",
  "'Infinity'::DOUBLE",
  "'-Infinity'::DOUBLE",
  "'-0'::DOUBLE",
  '0::DOUBLE',
  'NULL::DOUBLE',
  '5e-324::DOUBLE',
  '1.5::DOUBLE',
]
const list = (element: string[]) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant('NULL') },
    { weight: 4, arbitrary: fc.array(fc.constantFrom(...element), { maxLength: 12 }).map((values) => `[${values.join(', ')}]`) },
  )
const doubleList = list(doubles).map((sql) => `${sql}::DOUBLE[]`)
const integerList = list(['NULL', '0', '-1', '2147483647', '(-2147483648)']).map((sql) => `${sql}::INTEGER[]`)
const text = fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme', maxLength: 9 }), fc.constantFrom('', '\u{1F33E}', "it's", 'a\nb'))
const row = fc
  .tuple(
    text,
    text,
    fc.constantFrom(...doubles),
    fc.constantFrom('NULL', '7', '(-2147483648)'),
    doubleList,
    doubleList,
    doubleList,
    integerList,
    doubleList,
  )
  .map(([id, dataset, score, count, ...lists]) => {
    const quoted = [id, dataset].map((value) => (value === null ? 'NULL::VARCHAR' : `${quotedString(value.replaceAll('\0', ''))}::VARCHAR`))
    return `(${[...quoted, score, `${count}::INTEGER`, ...lists].join(', ')})`
  })

const staged = (path: string, sql: string, rows: number) => ({
  name: 'x.parquet',
  path,
  openRows: (engine: Engine, signal: AbortSignal | undefined) => openQueries(engine, [sql], signal),
  rows,
  datasets: [],
  columns: forms,
  extras: [],
  existing: false,
})

const plain = (digest: GroupDigest) => ({ ...digest, rows: Buffer.from(digest.rows).toString('hex') })

test('what is written is read back, bit for bit, by parquet-wasm and by DuckDB', { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder()
  const reader = new ParquetReader()
  let run = 0
  await withEngine({}, async (engine) => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 40 }), async (rows, rowGroup) => {
        const path = join(folder.path, `${run++}.parquet`)
        const sql = `SELECT * FROM (VALUES ${rows.join(', ')}) t(${forms.map(({ name }) => name).join(', ')})`
        const { groups } = await stageFile(engine, staged(path, sql, rows.length), { rowGroup })
        const all = (query: string) => new RowReader(readBlocks(engine, query)).take(rows.length)
        const byDuckdb = await all(`FROM read_parquet(${quotedString(path)})`)
        for (const [index, column] of (await all(sql)).entries()) {
          const other = byDuckdb[index]
          expect(other !== undefined && sameColumn(column, other), column.name).toBe(true)
        }
        await reader.open(path)
        for (const [group, { digest }] of groups.entries()) expect(plain(await reader.digest(group))).toEqual(plain(digest))
      }),
      { numRuns: 60 },
    )
  })
  await reader.close()
})

test('a file that is cut into row groups by rows and by bytes holds all rows', async () => {
  await using folder = await temporaryFolder()
  await withEngine({}, async (engine) => {
    const lists = ['y_true', 'y_pred', 'y_proba'].map((name) => `range(i % 50)::DOUBLE[] AS ${name}`).join(', ')
    const sql = `SELECT i::VARCHAR AS prediction_id, 'd' AS dataset_name, i::DOUBLE AS val_score, i::INTEGER AS count, ${lists},
      range(i % 50)::INTEGER[] AS sample_indices, NULL::DOUBLE[] AS weights FROM range(5000) t(i)`
    const { rows, groups } = await stageFile(engine, staged(join(folder.path, 'many.parquet'), sql, 5000), { rowGroup: 700 })
    expect(rows).toBe(5000)
    expect(groups.every(({ digest }) => digest.rows.length <= 700 * 32)).toBe(true)
  })
})

test('a file without rows is a file', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'empty.parquet')
  const writer = await ParquetWriter.create(path, forms)
  await writer.finish()
  await withEngine({}, async (engine) => {
    const block = await new RowReader(readBlocks(engine, `FROM read_parquet(${quotedString(path)})`)).take(1)
    expect(rowsOf(block)).toBe(0)
  })
})

test('a file of another form than what was handed to its writer is refused', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'x.parquet')
  const values = Array.from(
    { length: 3 },
    (_, id) => `('${id}', 'd', 1::DOUBLE, 1::INTEGER${', [1]::DOUBLE[]'.repeat(3)}, [1]::INTEGER[], NULL::DOUBLE[])`,
  )
  const file = staged(path, `SELECT * FROM (VALUES ${values.join(', ')}) t(${forms.map(({ name }) => name).join(', ')})`, 3)
  const reader = new ParquetReader()
  await withEngine({}, async (engine) => {
    const source = await stageFile(engine, file, { rowGroup: 2 })
    expect(source.groups).toHaveLength(2)
    expect(await verifyStaged(reader, file, source)).toMatchObject({ rows: 3, mismatches: 0 })
    const others: Record<string, [StagedFile, SourceDigest]> = {
      'fewer rows than were counted': [{ ...file, rows: 4 }, source],
      'fewer rows than were given': [
        { ...file, rows: 4 },
        { ...source, rows: 4 },
      ],
      'other columns': [{ ...file, columns: forms.slice(1) }, source],
      'other row groups': [file, { ...source, groups: source.groups.slice(0, 1) }],
    }
    for (const [what, [wanted, given]] of Object.entries(others)) {
      await expect(verifyStaged(reader, wanted, given), what).rejects.toMatchObject({ code: 'verification_failed' })
    }
  })
  await reader.close()
})
