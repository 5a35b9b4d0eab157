import { mkdir, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ArrayReader } from '../arrays/array-reader.ts'
import { exportDataset } from '../export/export-dataset.ts'
import { makeOverview } from '../overview/make.ts'
import { getPrediction } from '../predictions/get.ts'
import { listPredictions } from '../predictions/list.ts'
import { emptyFilter } from '../predictions/testing/sample-catalog.ts'
import { makeDamagedArrays, ofDamagedArrays } from '../testing/damaged-arrays.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { workspaceStats } from '../workspace/workspace-stats.ts'
import { buildCatalog } from './build-catalog.ts'
import { type Catalog, openCatalog } from './open-catalog.ts'

const withCatalogOf = async <T>(path: string, work: (catalog: Catalog) => Promise<T>): Promise<T> => {
  await using cache = await temporaryFolder()
  const catalog = await openCatalog(await buildCatalog(await resolveWorkspace(path), { cacheFolder: cache.path }))
  try {
    return await work(catalog)
  } finally {
    catalog.close()
  }
}

const unreadable = [
  {
    path: 'arrays/rye.parquet',
    reason: 'damaged',
    detail: expect.stringContaining('arrays/rye.parquet cannot be read'),
    datasets: ['rye'],
    predictions: 2,
  },
  {
    path: 'arrays/soil_pH.parquet',
    reason: 'missing',
    detail: expect.stringContaining('arrays/soil_pH.parquet is not there'),
    datasets: ['soil pH'],
    predictions: 1,
  },
]

describe('a file of arrays that cannot be read is never "no arrays"', () => {
  test('a prediction says whether its arrays are stored, were never there, or cannot be read and why', async () => {
    await using folder = await temporaryFolder()
    await makeDamagedArrays(folder.path)
    const states = await withCatalogOf(folder.path, (catalog) =>
      Promise.all(ofDamagedArrays.map(async ({ id }) => getPrediction(catalog, id))),
    )
    expect(states.map(({ prediction_id, has_arrays, arrays_state }) => [prediction_id, has_arrays, arrays_state])).toEqual([
      ['sound', true, 'stored'],
      ['bare', false, 'none'],
      ['cut', false, 'unreadable'],
      ['cut too', false, 'unreadable'],
      ['gone', false, 'unreadable'],
    ])
    expect(states.map(({ unreadable_file }) => unreadable_file?.path)).toEqual([
      undefined,
      undefined,
      'arrays/rye.parquet',
      'arrays/rye.parquet',
      'arrays/soil_pH.parquet',
    ])
    expect(states.map(({ unreadable_file }) => unreadable_file?.reason)).toEqual([undefined, undefined, 'damaged', 'damaged', 'missing'])
  })

  test('the rows of a page tell the same apart', async () => {
    await using folder = await temporaryFolder()
    await makeDamagedArrays(folder.path)
    const query = { filter: emptyFilter, sort: [{ column: 'prediction_id', direction: 'asc' }], limit: 10, offset: 0 } as const
    const { rows } = await withCatalogOf(folder.path, (catalog) => listPredictions(catalog, { ...query, sort: [...query.sort] }))
    expect(rows.map(({ prediction_id, arrays_state }) => `${prediction_id}: ${arrays_state}`)).toEqual([
      'bare: none',
      'cut: unreadable',
      'cut too: unreadable',
      'gone: unreadable',
      'sound: stored',
    ])
  })

  test('overview, figures and inspection name the files, with their datasets and how many predictions they concern', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    await makeDamagedArrays(folder.path)
    expect((await withCatalogOf(folder.path, makeOverview)).unreadable_files).toEqual(unreadable)
    expect((await workspaceStats(folder.path, { cacheFolder: cache.path })).unreadable_files).toEqual(unreadable)
    const { findings } = await inspectWorkspace(folder.path, { cacheFolder: cache.path })
    expect(findings.filter(({ severity }) => severity === 'error').map(({ code, count }) => [code, count])).toEqual([
      ['corrupt_array_file', 1],
      ['missing_array_file', 1],
    ])
  })

  test('a damaged file is named also where it concerns no dataset that is known', async () => {
    await using folder = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'sound', dataset: 'wheat' }] })
    await mkdir(join(folder.path, 'arrays'))
    await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'sound', dataset: 'wheat' }])
    await writeFile(join(folder.path, 'arrays', 'stray.parquet'), 'PAR1 cut')
    const { unreadable_files } = await withCatalogOf(folder.path, makeOverview)
    expect(unreadable_files).toMatchObject([{ path: 'arrays/stray.parquet', reason: 'damaged', datasets: [], predictions: 0 }])
  })

  test('a dataset of predictions that never had samples lacks no file', async () => {
    await using folder = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'scores only', samples: null }] })
    const { unreadable_files, state } = await withCatalogOf(folder.path, async (catalog) => ({
      ...(await makeOverview(catalog)),
      state: (await getPrediction(catalog, 'scores only')).arrays_state,
    }))
    expect([unreadable_files, state]).toEqual([[], 'none'])
    const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
    expect(findings.map(({ code }) => code)).not.toContain('missing_array_file')
  })

  test('a legacy store that has no files yet lacks none, whatever its table has lost', async () => {
    await using folder = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'lost', y: null }] })
    expect((await withCatalogOf(folder.path, makeOverview)).unreadable_files).toEqual([])
    const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
    expect(findings.map(({ code }) => code)).not.toContain('missing_array_file')
  })

  test('while the table of the store still holds arrays, a dataset without a file lacks none', async () => {
    await using folder = await temporaryFolder()
    const { unreadable_files, state } = await (async () => {
      await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }, { id: 'b', y: null }] })
      return withCatalogOf(folder.path, async (catalog) => ({
        ...(await makeOverview(catalog)),
        state: (await getPrediction(catalog, 'a')).arrays_state,
      }))
    })()
    expect(unreadable_files).toEqual([])
    expect(state).toBe('stored')
  })

  test('reading and exporting name the file that is not there; a dataset with a row without arrays says how many', async () => {
    await using folder = await temporaryFolder()
    await using outside = await temporaryFolder()
    await makeDamagedArrays(folder.path)
    const resolved = await resolveWorkspace(folder.path)
    await withCatalogOf(folder.path, async (catalog) => {
      const context = { resolved, catalog }
      const request = { format: 'parquet', layout: 'prediction', csv_dialect: 'plain' } as const
      const target = join(outside.path, 'out.parquet')
      await expect(exportDataset(context, { ...request, dataset_name: 'soil pH', target })).rejects.toMatchObject({
        code: 'arrays_missing',
        message: expect.stringContaining('arrays/soil_pH.parquet is not there'),
      })
      await expect(exportDataset(context, { ...request, dataset_name: 'rye', target })).rejects.toMatchObject({ code: 'arrays_corrupt' })
      const { warnings } = await exportDataset(context, { ...request, dataset_name: 'wheat', target })
      expect(warnings).toEqual(['1 of 2 predictions was stored without arrays: its row has none.'])
    })
    const reader = await ArrayReader.open()
    try {
      const ref = { prediction_id: 'gone', array_source: 'arrays/soil_pH.parquet' }
      await expect(reader.loadOne(resolved, ref)).rejects.toMatchObject({ code: 'arrays_missing' })
    } finally {
      reader.close()
    }
  })

  test.each(['quick', 'deep'] as const)('the %s check names the missing file of a whole dataset', async (depth) => {
    await using folder = await temporaryFolder()
    await makeDamagedArrays(folder.path)
    const { findings, passed } = await verifyWorkspace(folder.path, { depth })
    expect(passed).toBe(false)
    expect(findings.filter(({ code }) => code === 'missing_array_file')).toEqual([
      {
        code: 'missing_array_file',
        severity: 'error',
        count: 1,
        detail: expect.stringContaining('arrays/soil_pH.parquet is not there'),
        dataset_name: 'soil pH',
        ids: ['gone'],
      },
    ])
  })
})

describe.skipIf(!hasSharedWorkspaces())('in real workspaces', () => {
  test.each(['hybrid-0.8.1', 'sqlite-0.11'] as const)('%s: a file cut short and one moved away are both named', async (name) => {
    await using copy = await copyWorkspace(name)
    await using elsewhere = await temporaryFolder()
    await truncate(join(copy.path, 'arrays', 'grain_protein.parquet'), 2000)
    await rename(join(copy.path, 'arrays', 'sugar_class.parquet'), join(elsewhere.path, 'sugar_class.parquet'))
    const { unreadable_files } = await withCatalogOf(copy.path, makeOverview)
    expect(unreadable_files.map(({ path, reason, datasets }) => [path, reason, datasets])).toEqual([
      ['arrays/grain_protein.parquet', 'damaged', ['grain_protein']],
      ['arrays/sugar_class.parquet', 'missing', ['sugar_class']],
    ])
    for (const { predictions: count } of unreadable_files) expect(count).toBeGreaterThan(0)
  })

  test.each(['legacy-0.7.1', 'mid-migration', 'damaged-lost-arrays', 'hybrid-0.8.1', 'sqlite-0.11'] as const)(
    '%s as it is: no file is called unreadable',
    async (name) => {
      await using copy = await copyWorkspace(name)
      expect((await withCatalogOf(copy.path, makeOverview)).unreadable_files).toEqual([])
    },
  )
})
