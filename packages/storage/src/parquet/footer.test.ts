import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { columnNames, keyValues, readFooter, rowCount, rowGroupSizes, withKeyValues, writeFooter } from './footer.ts'
import { readStruct, type ThriftStruct, type ThriftValue, writeStruct } from './thrift.ts'

test('a footer written by DuckDB is written back byte for byte', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.parquet')
  await withEngine({}, (engine) =>
    engine.run(`COPY (SELECT range::VARCHAR AS id, [range::DOUBLE, NULL] AS y, {'a': 1} AS s FROM range(5000)) TO ${quotedString(path)}
      (FORMAT parquet, ROW_GROUP_SIZE 2048, KV_METADATA {other: 'kept'})`),
  )
  const footer = await readFooter(path)
  const bytes = await readFile(path)
  expect(Buffer.from(writeStruct(footer.metadata)).equals(bytes.subarray(footer.start, bytes.length - 8))).toBe(true)
  expect([rowCount(footer.metadata), rowGroupSizes(footer.metadata), columnNames(footer.metadata)]).toEqual([
    5000,
    [2048, 2048, 904],
    ['id', 'y', 's'],
  ])
})

test('new entries go into the footer beside those of others, and the data stays as it was', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.parquet')
  await withEngine({}, async (engine) => {
    await engine.run(`COPY (SELECT range AS x FROM range(10)) TO ${quotedString(path)} (FORMAT parquet, KV_METADATA {other: 'kept'})`)
    const footer = await readFooter(path)
    await writeFooter(path, footer, withKeyValues(footer.metadata, new Map([['own', 'é'.repeat(5000)]])))
    await writeFooter(path, await readFooter(path), withKeyValues((await readFooter(path)).metadata, new Map([['own', 'shorter é']])))
    expect(Object.fromEntries(keyValues((await readFooter(path)).metadata))).toEqual({ other: 'kept', own: 'shorter é' })
    const read = await engine.rows(
      z.any(),
      `SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata(${quotedString(path)}) ORDER BY k`,
    )
    expect(read).toEqual([
      { k: 'other', v: 'kept' },
      { k: 'own', v: 'shorter é' },
    ])
    expect(await engine.one(z.any(), `SELECT sum(x)::INTEGER AS s FROM read_parquet(${quotedString(path)})`)).toEqual({ s: 45 })
  })
})

test('whatever is cut or overwritten is an error with a cause, never an empty file', async () => {
  await using folder = await temporaryFolder()
  const [path, bad] = [join(folder.path, 'a.parquet'), join(folder.path, 'bad.parquet')]
  await withEngine({}, (engine) => engine.run(`COPY (SELECT range AS x FROM range(10)) TO ${quotedString(path)} (FORMAT parquet)`))
  const bytes = await readFile(path)
  for (const content of ['', 'PAR1', 'PAR1PAR1', bytes.subarray(0, bytes.length - 1), Buffer.concat([bytes, Buffer.from('x')])]) {
    await writeFile(bad, content)
    await expect(readFooter(bad)).rejects.toMatchObject({ code: 'arrays_corrupt' })
  }
  const huge = Buffer.from(bytes)
  huge.writeUInt32LE(0xffffffff, bytes.length - 8)
  await copyFile(path, bad)
  await writeFile(bad, huge)
  await expect(readFooter(bad)).rejects.toMatchObject({ code: 'arrays_corrupt' })
})

const bytes = fc.uint8Array({ maxLength: 20 })
const int = (wire: 3 | 4 | 5 | 6, bits: number) =>
  fc
    .bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
    .map((value): ThriftValue => ({ kind: 'int', wire, value }))
const leaf = fc.oneof(
  int(3, 8),
  int(4, 16),
  int(5, 32),
  int(6, 64),
  bytes.map((value): ThriftValue => ({ kind: 'binary', bytes: value })),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value): ThriftValue => ({ kind: 'double', bytes: value })),
  fc.boolean().map((value): ThriftValue => ({ kind: 'bool', value })),
)
const { struct } = fc.letrec<{ struct: ThriftStruct; value: ThriftValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    tie('struct'),
    fc.array(int(5, 32), { maxLength: 40 }).map((items): ThriftValue => ({ kind: 'list', wire: 9, element: 5, items })),
    fc.array(tie('struct'), { maxLength: 3 }).map((items): ThriftValue => ({ kind: 'list', wire: 9, element: 12, items })),
  ),
  struct: fc
    .uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 2000 }), value: tie('value') }), { selector: ({ id }) => id, maxLength: 6 })
    .map((fields): ThriftStruct => ({ kind: 'struct', fields: fields.toSorted((a, b) => a.id - b.id) })),
}))

test('any struct reads back as it was written; any cut of it is an error', () => {
  fc.assert(
    fc.property(struct, (value) => {
      const written = writeStruct(value)
      expect(readStruct(written)).toEqual({ struct: value, length: written.length })
      if (written.length > 1) expect(() => readStruct(written.subarray(0, written.length - 1))).toThrow()
    }),
    { numRuns: 200 },
  )
})
