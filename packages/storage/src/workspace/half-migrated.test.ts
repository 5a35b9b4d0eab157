import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { withArrayReader } from '../arrays/array-reader.ts'
import { writeArrayFile } from '../arrays/testing/fixture-workspace.ts'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { attachReadOnly } from '../engine/attach-store.ts'
import { elementsOf, floatList } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import { exportDataset } from '../export/export-dataset.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { inspectWorkspace } from './inspect-workspace.ts'
import { resolveWorkspace } from './resolve-workspace.ts'

const datasets = ['cut', 'flipped', 'fifteen', 'twenty', 'table only']
const Place = z.object({ prediction_id: z.string(), array_source: z.string().nullable() })

/** A store with all arrays, and an arrays/ folder with two damaged files and two of later releases (15 and 20 columns). */
const makeHalfMigrated = async (path: string): Promise<void> => {
  await mkdir(join(path, 'arrays'), { recursive: true })
  const predictions = datasets.map((dataset, index) => ({ id: `p${index}`, dataset, y: [index, index + 1] }))
  await makeStore(join(path, 'store.duckdb'), { release: '0.7.1', predictions })
  const file = (name: string) => join(path, 'arrays', `${name}.parquet`)
  const later = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`later_${index}`, `${index}::BIGINT`]))
  for (const [index, name] of datasets.slice(0, 4).entries()) {
    const y_true = floatList([index, index + 1])
    const extra = later(name === 'fifteen' ? 1 : name === 'twenty' ? 6 : 0)
    await writeArrayFile(file(name), [{ prediction_id: `p${index}`, dataset_name: name, arrays: { y_true, y_pred: y_true }, extra }])
  }
  await writeFile(file('cut'), (await readFile(file('cut'))).subarray(0, 500))
  await writeFile(file('flipped'), (await readFile(file('flipped'))).fill(255, 4, 400))
}

test('test_half_migrated_damage: damaged files are named, files of later releases are read, every other dataset goes on', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'workspace')
  await makeHalfMigrated(path)
  const resolved = await resolveWorkspace(path)
  const file = await buildCatalog(resolved, { cacheFolder: join(folder.path, 'cache') })
  const refs = await withEngine({}, async (engine) => {
    await attachReadOnly(engine, file.path, 'catalog')
    return engine.rows(Place, 'SELECT prediction_id, array_source FROM catalog.main.predictions ORDER BY prediction_id')
  })
  expect(refs.map((ref) => ref.array_source)).toEqual(['table', 'table', 'arrays/fifteen.parquet', 'arrays/twenty.parquet', 'table'])
  await withArrayReader({}, async (reader) => {
    for (const [index, ref] of refs.entries()) {
      const row = await reader.loadOne(resolved, ref)
      expect(row?.y_true && elementsOf(row.y_true)).toEqual([index, index + 1])
    }
    const flipped = reader.loadOne(resolved, { prediction_id: 'p1', array_source: 'arrays/flipped.parquet' })
    await expect(flipped).rejects.toMatchObject({ code: 'arrays_corrupt', fields: { path: 'arrays/flipped.parquet' } })
  })
  for (const [index, dataset_name] of datasets.entries()) {
    const target = join(folder.path, 'out.parquet')
    const context = { resolved, catalog: { file } }
    await exportDataset(context, { dataset_name, format: 'parquet', layout: 'prediction', csv_dialect: 'plain', target })
    const rows = await withEngine({}, (engine) =>
      engine.rows(z.record(z.string(), z.unknown()), 'SELECT * FROM read_parquet($target)', { target }),
    )
    expect(rows).toMatchObject([{ prediction_id: `p${index}`, y_true: [index, index + 1] }])
    expect(Object.keys(rows[0] ?? {})).toHaveLength(dataset_name === 'fifteen' ? 15 : dataset_name === 'twenty' ? 20 : 14)
  }
  const { findings } = await inspectWorkspace(path, { cacheFolder: join(folder.path, 'cache') })
  const damaged = findings.filter(({ code }) => code === 'corrupt_array_file').map(({ detail }) => detail)
  expect(damaged.join()).toContain('arrays/cut.parquet')
})
