import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { madeRecord } from '../array-store/testing/made-records.ts'
import { elementsOf } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { isStorageError } from '../errors.ts'
import { formsWith } from '../migration/array-columns.ts'
import { finishFile } from '../migration/finish-file.ts'
import { blockChecksums } from '../parquet/block-checksum.ts'
import { readFooter } from '../parquet/footer.ts'
import { summaryVersion } from '../parquet/own-metadata.ts'
import { ParquetWriter } from '../parquet/parquet-writer.ts'
import { ArrayReader } from './array-reader.ts'
import { type ArrayRow, arrayColumns } from './array-source.ts'
import { type FixtureWorkspace, fixtureWorkspace, writeArrayFile } from './testing/fixture-workspace.ts'
import { openFilesBelow } from './testing/tree-hash.ts'

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

const groups = 3
const rowsPerGroup = 8
const ids = Array.from({ length: groups * rowsPerGroup }, (_, row) => `p${row}`)
const path = () => join(workspace.root, 'arrays', 'wheat.parquet')

const rowsSql = (group: number) => `SELECT 'p' || i AS prediction_id, 'wheat' AS dataset_name, 'PLS' AS model_name, '0' AS fold_id,
  'val' AS "partition", 'rmse' AS metric, i / 7 AS val_score, 'regression' AS task_type,
  CASE WHEN i % 5 <> 4 THEN list_transform(range(i % 4 + 2), lambda j: sin(i + j)) END AS y_true,
  list_transform(range(i % 4 + 2), lambda j: CASE WHEN j <> 1 THEN cos(i * j) END) AS y_pred,
  CASE WHEN i % 3 = 0 THEN [0.25, 0.75, i / 10] END AS y_proba, CASE WHEN i % 3 = 0 THEN [3, 1] END::INTEGER[] AS y_proba_shape,
  range(i % 4 + 2)::INTEGER[] AS sample_indices, NULL::DOUBLE[] AS weights
  FROM range(${group * rowsPerGroup}, ${(group + 1) * rowsPerGroup}) AS r(i)`

/** A file as a migration writes it. */
const writeOwnFile = (): Promise<void> =>
  withEngine({}, async (engine) => {
    const writer = await ParquetWriter.create(path(), formsWith([]))
    const checksums: ReadonlyMap<string, string>[] = []
    for (let group = 0; group < groups; group++) {
      for await (const block of readBlocks(engine, rowsSql(group))) {
        await writer.writeRowGroup(block)
        checksums.push(blockChecksums(block))
      }
    }
    const data = await writer.finish()
    const datasets = [{ name: 'wheat', rows: ids.length }]
    await finishFile(
      path(),
      {
        version: summaryVersion,
        rows: ids.length,
        datasets,
        facets: {},
        metrics: [],
        created_at: { first: null, last: null },
        context_exact: true,
        refits: [],
      },
      checksums,
      data,
    )
  })

const refsOf = (wanted: readonly string[]) => wanted.map((prediction_id) => ({ prediction_id, array_source: 'arrays/wheat.parquet' }))

/** Every row that is served, or the code of the refusal. */
const read = async (wanted: readonly string[]): Promise<Map<string, unknown> | string> => {
  const rows: ArrayRow[] = []
  try {
    for await (const batch of reader.load(workspace, refsOf(wanted))) rows.push(...batch)
  } catch (error) {
    if (isStorageError(error)) return error.code
    throw error
  }
  return new Map(rows.map((row) => [row.prediction_id, plain(row)]))
}

const plain = (row: ArrayRow) => [row.y_proba_shape, ...arrayColumns.map((column) => row[column] && elementsOf(row[column]))]

const flip = (bytes: Buffer, bit: number): Buffer => {
  const flipped = Buffer.from(bytes)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

describe('P3: a changed bit in an array file is an error or changes nothing that is served', () => {
  it('anywhere in the file, for one prediction and for all', async () => {
    await writeOwnFile()
    const good = await readFile(path())
    const whole = await read(ids)
    expect(whole).toHaveProperty('size', ids.length)
    if (typeof whole === 'string') return
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: good.length * 8 - 1 }), fc.constantFrom(...ids), async (bit, id) => {
        await writeFile(path(), flip(good, bit))
        const all = await read(ids)
        if (all !== 'arrays_corrupt') expect(all).toEqual(whole)
        const one = await read([id])
        if (one !== 'arrays_corrupt') expect(one).toEqual(new Map([[id, whole.get(id)]]))
      }),
      { numRuns: 100 },
    )
  })

  it('a refusal names file, dataset and row group', async () => {
    await writeOwnFile()
    const good = await readFile(path())
    const { start } = await readFooter(path())
    for (const at of [start - 10, start >> 1, start / 3, start - 60]) {
      await writeFile(path(), flip(good, Math.floor(at) * 8))
      expect(await read(ids)).toBe('arrays_corrupt')
    }
    await writeFile(path(), flip(good, (start - 10) * 8))
    await expect(reader.loadOne(workspace, { prediction_id: 'p20', array_source: 'arrays/wheat.parquet' })).rejects.toMatchObject({
      code: 'arrays_corrupt',
      fields: { path: 'arrays/wheat.parquet' },
      message: expect.stringMatching(/^arrays\/wheat\.parquet \(dataset "wheat"\).*row group 2/),
    })
  })

  it('a file that changes after it was read is compared again; one of another program is served as it is', async () => {
    await writeOwnFile()
    const good = await readFile(path())
    const { start } = await readFooter(path())
    expect(await read(['p20'])).toHaveProperty('size', 1)
    await writeFile(path(), flip(good, (start - 10) * 8))
    expect(await read(['p20'])).toBe('arrays_corrupt')
    await writeFile(path(), good)
    expect(await read(['p20'])).toHaveProperty('size', 1)
    await writeArrayFile(path(), [{ prediction_id: 'p20', dataset_name: 'wheat' }])
    expect(await read(['p20'])).toHaveProperty('size', 1)
  })
  it('rows behind those of another program: both are served, a changed bit in the added ones is found', async () => {
    // The dictionary of the last column is larger than all that is added: its pages lie before those of the values.
    await withEngine({}, (engine) =>
      engine.run(
        `COPY (SELECT * REPLACE (list_transform(range(8000), lambda j: sin(j % 4000)) AS weights) FROM (${rowsSql(0)}))
          TO $path (FORMAT parquet, COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 100000)`,
        { path: path() },
      ),
    )
    const foreign = await read(ids.slice(0, rowsPerGroup))
    expect(foreign).toHaveProperty('size', rowsPerGroup)
    const { start } = await readFooter(path())
    await ArrayStore.open(workspace.root).saveBatch([madeRecord('new'), madeRecord('newer')])
    expect(await read(ids.slice(0, rowsPerGroup))).toEqual(foreign)
    const all = [...ids.slice(0, rowsPerGroup), 'new', 'newer']
    const whole = await read(all)
    expect(whole).toHaveProperty('size', all.length)
    const good = await readFile(path())
    for (let bit = start * 8; bit < good.length * 8; bit += 997) {
      await writeFile(path(), flip(good, bit))
      expect(await read(['new', 'newer'])).toBe('arrays_corrupt')
    }
  })
})
