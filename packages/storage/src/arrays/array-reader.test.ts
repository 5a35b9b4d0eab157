import { execFileSync } from 'node:child_process'
import { copyFile, link, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { elementsOf, type FloatList, floatList, type IntegerList, integerList } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import { ArrayReader } from './array-reader.ts'
import type { ArrayRow } from './array-source.ts'
import {
  type FixturePrediction,
  type FixtureWorkspace,
  fixtureWorkspace,
  writeArrayFile,
  writeArrayTable,
  writeManyRows,
} from './testing/fixture-workspace.ts'
import { openFilesBelow, treeHash } from './testing/tree-hash.ts'

let reader: ArrayReader
let workspace: FixtureWorkspace
beforeAll(async () => {
  reader = await ArrayReader.open()
})
afterAll(() => reader.close())
beforeEach(async () => {
  workspace = await fixtureWorkspace()
})
afterEach(async () => {
  expect(await openFilesBelow(workspace.root)).toEqual([])
  await workspace.remove()
})

const file = (name = 'wheat') => join(workspace.root, 'arrays', `${name}.parquet`)
const wheat = (prediction_id: string, arrays: FixturePrediction['arrays'] = {}): FixturePrediction => ({
  prediction_id,
  dataset_name: 'wheat',
  arrays,
})
const numbers = (row: ArrayRow | null) => row?.y_true && elementsOf(row.y_true)

const load = async (ids: readonly string[], source = 'arrays/wheat.parquet'): Promise<Map<string, ArrayRow>> => {
  const rows = new Map<string, ArrayRow>()
  const refs = ids.map((prediction_id) => ({ prediction_id, array_source: source }))
  for await (const batch of reader.load(workspace, refs)) for (const row of batch) rows.set(row.prediction_id, row)
  return rows
}

const element = fc.oneof(
  { weight: 4, arbitrary: fc.double() },
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 5e-324, Number.MAX_VALUE),
  fc.constant(null),
)
const floats: fc.Arbitrary<FloatList | null> = fc.option(fc.array(element, { maxLength: 12 }).map(floatList))
const integers: fc.Arbitrary<IntegerList | null> = fc.option(
  fc.array(fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), { maxLength: 12 }).map(integerList),
)
const anyRows = fc.array(fc.record({ y_true: floats, y_pred: floats, y_proba: floats, sample_indices: integers, weights: floats }), {
  minLength: 1,
  maxLength: 8,
})

type Element = number | null
const same = (row: ArrayRow | undefined, expected: FixturePrediction['arrays'], blur = (value: Element): Element => value) => {
  for (const column of ['y_true', 'y_pred', 'y_proba', 'sample_indices', 'weights'] as const) {
    const [got, wanted] = [row?.[column] ?? null, expected?.[column] ?? null]
    // toEqual tells NaN from null, −0 from 0, and an empty list from none.
    expect(got && elementsOf(got).map(blur)).toEqual(wanted && elementsOf(wanted).map(blur))
  }
}

describe('ArrayReader', () => {
  it('gives back from Parquet and from the table what was stored: NaN, ±Infinity, −0, null elements, empty and null lists', async () => {
    let turn = 0
    await fc.assert(
      fc.asyncProperty(anyRows, async (lists) => {
        turn += 1
        const rows = lists.map((arrays, index) => wheat(`p${index}`, arrays))
        await writeArrayFile(file(`f${turn}`), rows)
        const store = join(workspace.root, `store${turn}.duckdb`)
        await writeArrayTable(store, rows)
        const ids = rows.map((row) => row.prediction_id)
        const fromParquet = await load(ids, `arrays/f${turn}.parquet`)
        const fromTable = new Map<string, ArrayRow>()
        const refs = ids.map((prediction_id) => ({ prediction_id, array_source: 'table' }))
        for await (const row of reader.loadOrdered({ ...workspace, duckdb: store }, refs)) fromTable.set(row.prediction_id, row)
        for (const [index, id] of ids.entries()) {
          same(fromParquet.get(id), lists[index])
          // DuckDB's own storage may turn −0 into 0 (constant segments); what it holds is what is read.
          same(fromTable.get(id), lists[index], (value) => (value === 0 ? 0 : value))
        }
      }),
      { numRuns: 15 },
    )
  })

  it('keeps the payload of a NaN and the sign of zero bit for bit', async () => {
    const bits = [0x7ff8000000000001n, 0x8000000000000000n, 0xfff8000000000abcn]
    await writeArrayFile(file(), [wheat('a', { y_true: floatList([1.25, 2.5, 3.75]) })], 'uncompressed')
    const bytes = await readFile(file())
    const at = bytes.indexOf(Buffer.from(Float64Array.of(1.25, 2.5, 3.75).buffer))
    expect(at).toBeGreaterThan(0)
    bytes.set(new Uint8Array(BigUint64Array.from(bits).buffer), at)
    await writeFile(file(), bytes)
    const values = (await load(['a'])).get('a')?.y_true?.values
    expect(values && [...new BigUint64Array(values.slice().buffer)]).toEqual(bits)
  })

  it('test_array_store_y_proba_shape: keeps two dimensions and gives flattened arrays theirs back', async () => {
    const measured = floatList([0, 1, 2])
    const proba = floatList([1, 0, 0, 0, 1, 0, 0, 0, 1])
    await writeArrayFile(file(), [
      wheat('stored', { y_true: measured, y_proba: floatList([1, 2, 3, 4, 5, 6]), y_proba_shape: [3, 2] }),
      wheat('flattened', { y_true: measured, y_proba: proba, y_proba_shape: [9] }),
      wheat('absent', { y_true: measured, y_proba: proba }),
      wheat('one-dimensional', { y_true: measured, y_proba: measured, y_proba_shape: [3] }),
      wheat('none', { y_true: measured }),
    ])
    const rows = await load(['stored', 'flattened', 'absent', 'one-dimensional', 'none'])
    const shapes = Object.fromEntries([...rows].map(([id, row]) => [id, row.y_proba_shape]))
    expect(shapes).toEqual({ stored: [3, 2], flattened: [3, 3], absent: [3, 3], 'one-dimensional': [3], none: null })
    await writeArrayTable(join(workspace.root, 'store.duckdb'), [wheat('legacy', { y_true: measured, y_proba: proba })])
    const places = { ...workspace, duckdb: join(workspace.root, 'store.duckdb') }
    expect((await reader.loadOne(places, { prediction_id: 'legacy', array_source: 'table' }))?.y_proba_shape).toEqual([3, 3])
  })

  it('takes the last of duplicates, over many ids and over few', async () => {
    await writeManyRows(file(), 5000, 2500)
    expect(numbers((await load(['p3'])).get('p3') ?? null)).toEqual([2503])
    const all = await load(Array.from({ length: 2500 }, (_, index) => `p${index}`))
    expect(all.size).toBe(2500)
    expect([...all].every(([id, row]) => row.y_true?.values[0] === Number(id.slice(1)) + 2500)).toBe(true)
  })

  it('reads only the columns asked for, and nothing for ids that are not there', async () => {
    await writeArrayFile(file(), [wheat('a', { y_true: floatList([1]), y_pred: floatList([2]), weights: floatList([3]) })])
    const ref = { prediction_id: 'a', array_source: 'arrays/wheat.parquet' }
    const row = await reader.loadOne(workspace, ref, { columns: ['y_pred'] })
    expect(row).toMatchObject({ y_true: null, weights: null })
    expect(row?.y_pred && elementsOf(row.y_pred)).toEqual([2])
    expect(await load(['absent', ''])).toEqual(new Map())
    expect(await reader.loadOne(workspace, { prediction_id: 'a', array_source: null })).toBeNull()
  })

  it('leaves out tombstoned rows; a damaged list does not stop reading (P9)', async () => {
    await writeArrayFile(file(), [wheat('a', { y_true: floatList([1]) }), wheat('__proto__', { y_true: floatList([2]) })])
    await writeFile(join(workspace.root, 'arrays', '_tombstones.json'), '{"__proto__": "2026-01-01T00:00:00+00:00"}')
    expect([...(await load(['a', '__proto__'])).keys()]).toEqual(['a'])
    await writeFile(join(workspace.root, 'arrays', '_tombstones.json'), '{"__proto__"')
    expect([...(await load(['a', '__proto__'])).keys()].sort()).toEqual(['__proto__', 'a'])
  })

  it('falls back from Parquet to the table in the middle of a migration, Parquet first', async () => {
    const store = join(workspace.root, 'store.duckdb')
    await writeArrayFile(file(), [wheat('both', { y_true: floatList([1]) })])
    await writeArrayTable(store, [wheat('both', { y_true: floatList([2]) }), wheat('table', { y_true: floatList([3]) })])
    workspace.duckdb = store
    const rows = await load(['both', 'table'])
    expect([...rows].map(([id, row]) => [id, numbers(row)])).toEqual([
      ['both', [1]],
      ['table', [3]],
    ])
  })

  it('F5: does not read a view that stands in place of the table', async () => {
    const store = join(workspace.root, 'store.duckdb')
    await withEngine({}, async (engine) => {
      await engine.run(`ATTACH '${store}' AS evil`)
      await engine.run("CREATE VIEW evil.prediction_arrays AS SELECT content AS prediction_id FROM read_text('/etc/hostname')")
    })
    const read = reader.loadOne({ ...workspace, duckdb: store }, { prediction_id: 'a', array_source: 'table' })
    await expect(read).rejects.toMatchObject({ code: 'store_unsafe' })
  })

  it('holds no lock and changes nothing after a read', async () => {
    workspace.duckdb = join(workspace.root, 'store.duckdb')
    const row = wheat('a', { y_true: floatList([1]) })
    await writeArrayTable(workspace.duckdb, [row])
    await writeArrayFile(file(), [row])
    const before = await treeHash(workspace.root)
    const refs = [
      { prediction_id: 'a', array_source: 'table' },
      { prediction_id: 'a', array_source: 'arrays/wheat.parquet' },
    ]
    const reads = Array.from({ length: 6 }, async () => {
      let count = 0
      for await (const batch of reader.load(workspace, refs)) count += batch.length
      return count
    })
    expect(await Promise.all(reads)).toEqual([2, 2, 2, 2, 2, 2])
    expect(await openFilesBelow(workspace.root)).toEqual([])
    expect(await treeHash(workspace.root)).toBe(before)
  })

  it('lets go of everything when the caller stops early or cancels', async () => {
    await writeManyRows(file(), 6000)
    const refs = Array.from({ length: 6000 }, (_, index) => ({ prediction_id: `p${index}`, array_source: 'arrays/wheat.parquet' }))
    for await (const batch of reader.load(workspace, refs)) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
    expect(await openFilesBelow(workspace.root)).toEqual([])
    const stop = new AbortController()
    const cancelled = async () => {
      for await (const batch of reader.load(workspace, refs, { signal: stop.signal })) if (batch.length > 0) stop.abort()
    }
    await expect(cancelled()).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('reads files of later generations and files that lack columns', async () => {
    await withEngine({}, (engine) =>
      engine.run(
        `COPY (SELECT 'a' AS prediction_id, [1.5::FLOAT] AS y_true, [7::BIGINT] AS sample_indices, [1.0] AS "X", '{}' AS sample_metadata)
          TO '${file()}' (FORMAT parquet)`,
      ),
    )
    const row = (await load(['a'])).get('a')
    expect(row).toMatchObject({ y_pred: null, y_proba: null, weights: null })
    expect(row?.y_true?.values).toEqual(Float64Array.of(1.5))
    expect(row?.sample_indices?.values).toEqual(Int32Array.of(7))
  })
})

describe('files that are not what they seem', () => {
  const expectCorrupt = (source: string) => expect(load(['a'], source)).rejects.toMatchObject({ code: 'arrays_corrupt' })

  it.each(['', 'not parquet at all', 'PAR1PAR1'])('is an error that names the file, never no data: %j', async (content) => {
    await writeFile(file(), content)
    await expect(load(['a'])).rejects.toMatchObject({ code: 'arrays_corrupt', message: expect.stringContaining('arrays/wheat.parquet') })
  })

  it('is an error when the file is cut off or is gone', async () => {
    await writeArrayFile(file(), [wheat('a', { y_true: floatList([1]) })])
    await truncate(file(), 200)
    await expectCorrupt('arrays/wheat.parquet')
    await rm(file())
    await expect(load(['a'])).rejects.toMatchObject({ code: 'arrays_missing' })
  })

  it('N10: follows no link, out of the workspace or inside it, and waits on no pipe', async () => {
    const outside = join(workspace.outside, 'secret.parquet')
    await writeArrayFile(outside, [wheat('a', { y_true: floatList([1]) })])
    await symlink(outside, file('link'))
    await expectCorrupt('arrays/link.parquet')
    await symlink(file('loop'), file('loop'))
    await expectCorrupt('arrays/loop.parquet')
    execFileSync('mkfifo', [file('pipe')])
    await expectCorrupt('arrays/pipe.parquet')
    await mkdir(file('folder'))
    await expectCorrupt('arrays/folder.parquet')
    await symlink(workspace.outside, join(workspace.root, 'elsewhere'))
    await expectCorrupt('elsewhere/secret.parquet')
    await link(outside, file('hard'))
    expect((await load(['a'], 'arrays/hard.parquet')).size).toBe(1)
  })

  it.each(['../outside/secret.parquet', '/etc/passwd', 'arrays/../../outside/secret.parquet'])(
    'N1: reads nothing outside: %s',
    async (source) => {
      await writeArrayFile(join(workspace.outside, 'secret.parquet'), [wheat('a')])
      await expectCorrupt(source)
    },
  )

  it('N3 F10: a name is never a pattern and a folder never a column', async () => {
    for (const [name, value] of [
      ['st*r', 1],
      ['stxr', 2],
      ['[ab]', 3],
      ['a', 4],
      ["it's", 5],
      ['wh?at', 6],
      ['{a,b}', 7],
    ] as const) {
      await writeArrayFile(file(name), [wheat('a', { y_true: floatList([value]) })])
      expect(numbers((await load(['a'], `arrays/${name}.parquet`)).get('a') ?? null)).toEqual([value])
    }
    await writeArrayFile(join(workspace.root, 'arrays', 'y_true=evil', 'x.parquet'), [wheat('a', { y_true: floatList([8]) })])
    expect(numbers((await load(['a'], 'arrays/y_true=evil/x.parquet')).get('a') ?? null)).toEqual([8])
  })

  it('N11: a file swapped for a link while it is read shows nothing from outside', async () => {
    const outside = join(workspace.outside, 'secret.parquet')
    await writeArrayFile(outside, [wheat('a', { y_true: floatList([666]) })])
    await writeArrayFile(file('good'), [wheat('a', { y_true: floatList([1]) })])
    let swapping = true
    const swap = async () => {
      while (swapping) {
        await symlink(outside, file('next'))
        await rename(file('next'), file())
        await copyFile(file('good'), file('next'))
        await rename(file('next'), file())
      }
    }
    await copyFile(file('good'), file())
    const swapper = swap()
    const seen = new Set<unknown>()
    for (let turn = 0; turn < 60; turn += 1) {
      seen.add(
        await load(['a']).then(
          (rows) => rows.get('a')?.y_true?.values[0],
          (error: { code: string }) => error.code,
        ),
      )
    }
    swapping = false
    await swapper
    expect(seen.has(1)).toBe(true)
    expect([...seen].filter((value) => value !== 1 && value !== 'arrays_corrupt')).toEqual([])
  })
})
