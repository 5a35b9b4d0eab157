import { renameSync, truncateSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { PredictionFilter } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { whereClause } from '../predictions/filter-clause.ts'
import { changeSqlite, convertStore } from '../sqlite/testing/convert-store.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { type MadePrediction, makeParquet, makeStore, type StoreToMake, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, expectedWorkspace, hasSharedWorkspaces, sharedWorkspaceNames } from '../testing/shared-workspaces.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { buildCatalog, type CatalogProgress } from './build-catalog.ts'
import { catalogFolder, defaultCacheFolder, parseCatalogName } from './catalog-file.ts'
import { findCatalog } from './find-catalog.ts'
import { openCatalog } from './open-catalog.ts'
import { readCatalogMeta } from './read-info.ts'

const Row = z.record(z.string(), z.unknown())

/** The rows of a query over the catalog of a folder, and its meta. */
const queryCatalog = async (path: string, sql: string) => {
  await using cache = await temporaryFolder()
  const catalog = await openCatalog(await buildCatalog(await resolveWorkspace(path), { cacheFolder: cache.path }))
  try {
    return { rows: await catalog.engine.rows(Row, sql), meta: await readCatalogMeta(catalog.engine) }
  } finally {
    catalog.close()
  }
}

interface Made {
  store?: StoreToMake
  arrays?: Record<string, readonly MadePrediction[] | string>
}

const queryMade = async ({ store, arrays }: Made, sql: string) => {
  await using folder = await temporaryFolder()
  if (store !== undefined) await makeStore(join(folder.path, 'store.duckdb'), store)
  if (arrays !== undefined) await mkdir(join(folder.path, 'arrays'))
  for (const [name, content] of Object.entries(arrays ?? {})) {
    const path = join(folder.path, 'arrays', name)
    if (typeof content === 'string') await writeFile(path, content)
    else await makeParquet(path, content)
  }
  return await queryCatalog(folder.path, sql)
}

test('kinds of folds are told from the fold id and the refit context', async () => {
  const folds: [string, string | null, string, boolean][] = [
    ['0', null, 'fold', false],
    ['fold_12', null, 'fold', false],
    ['3_agg', null, 'fold', true],
    ['avg', null, 'average', false],
    ['w_avg_agg', null, 'average', true],
    ['final', null, 'refit', false],
    ['final_agg', null, 'refit', true],
    ['0', 'stacking', 'refit', false],
    ['', null, 'single', false],
    ['all', null, 'other', false],
    ['fold_x', null, 'other', false],
  ]
  const predictions = folds.map(([fold, refit], index) => ({ id: `id-${String(index).padStart(2, '0')}`, fold, refit }))
  const { rows } = await queryMade(
    { store: { release: '0.7.1', predictions } },
    'SELECT fold_kind, aggregated FROM predictions ORDER BY prediction_id',
  )
  expect(rows).toEqual(folds.map(([, , fold_kind, aggregated]) => ({ fold_kind, aggregated })))
})

test.each(['blé', 'BLE', 'ble\u0301', 'Œufs', 'cafe'])('a search for %s finds its word however that is written', async (q) => {
  const predictions = ['Blé dur', 'Ble\u0301 tendre', 'œufs', 'café', 'cafe\u0301', 'other'].map((dataset, index) => ({
    id: `p${index}`,
    dataset,
    fold: `${index}`,
  }))
  const { sql, parameters } = whereClause(PredictionFilter.parse({ q }))
  const word = Object.values(parameters)[0]
  const query = `SELECT dataset_name FROM predictions ${sql.replace(/\$f\d+/, `'${word}'`)} ORDER BY prediction_id`
  const { rows } = await queryMade({ store: { release: '0.7.1', predictions } }, query)
  const found = { b: ['Blé dur', 'Ble\u0301 tendre'], c: ['café', 'cafe\u0301'], œ: ['œufs'] }[q.charAt(0).toLowerCase()]
  expect(rows.map((row) => row.dataset_name)).toEqual(found)
})

test('a row carries its parents, its search text and its JSON to the letter', async () => {
  const scores = '{"val": {"rmse": NaN, "r2": -Infinity},  "test": {}}'
  const predictions = [{ id: 'ID-1', dataset: 'Blé dur / lot 2', scores, score: Number.NaN }]
  const { rows, meta } = await queryMade({ store: { release: '0.7.1', predictions } }, 'SELECT * FROM predictions')
  expect(rows[0]).toMatchObject({
    prediction_id: 'ID-1',
    dataset_name: 'Blé dur / lot 2',
    scores,
    val_score: Number.NaN,
    test_score: null,
    run_id: 'run-1',
    run_name: 'Morning screen',
    run_status: 'completed',
    pipeline_name: 'screen_p0',
    branch_id: null,
    refit_context: null,
    has_arrays: true,
    array_source: 'table',
    reduction_role: null,
  })
  expect(rows[0]?.search_text).toBe(
    [
      'id-1',
      'ble dur / lot 2',
      'pls',
      'plsregression',
      'snv>1stder',
      '{"n_components": 5}',
      'morning screen',
      'c-ble dur / lot 2',
      'p-ble dur / lot 2',
      'run-1',
    ].join('\n'),
  )
  expect(rows[0]?.created_at_text).toMatch(/^\d{4}-\d\d-\d\d \d\d:/)
  expect(meta.counts).toEqual({ runs: 1, pipelines: 1, chains: 1, predictions: 1, arrays: 1, artifacts: 0, logs: 0, projects: 0 })
})

test('mid-migration: Parquet where it has the row, the table otherwise; removed rows have none', async () => {
  const predictions = [{ id: 'a' }, { id: 'b' }, { id: 'c', y: null }, { id: 'd', y: null }]
  const arrays = {
    'wheat.parquet': [{ id: 'a' }, { id: 'c' }, { id: 'z' }, { id: 'a' }],
    '_tombstones.json': '{"c": "2026-02-19T10:00:00+00:00"}',
  }
  const made = { store: { release: '0.7.1' as const, predictions }, arrays }
  const { rows, meta } = await queryMade(made, 'SELECT prediction_id AS id, has_arrays, array_source FROM predictions ORDER BY id')
  expect(rows).toEqual([
    { id: 'a', has_arrays: true, array_source: 'arrays/wheat.parquet' },
    { id: 'b', has_arrays: true, array_source: 'table' },
    { id: 'c', has_arrays: false, array_source: null },
    { id: 'd', has_arrays: false, array_source: null },
  ])
  expect(meta.counts.arrays).toBe(2)
  const oddities = await queryMade(made, 'SELECT kind, prediction_id AS id, copies FROM array_oddities ORDER BY kind, id')
  expect(oddities.rows).toEqual([
    { kind: 'duplicate', id: 'a', copies: 2 },
    { kind: 'orphan', id: 'z', copies: 1 },
    { kind: 'tombstoned', id: 'c', copies: 1 },
  ])
})

test('names that are patterns or quotes to DuckDB are names here, and a folder called like a partition is only a folder', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'dataset_name=evil', "o'neil [x]*")
  await mkdir(join(root, 'arrays'), { recursive: true })
  await makeParquet(join(root, 'arrays', 'st?r[1].parquet'), [{ id: 'a' }])
  await makeParquet(join(root, 'arrays', 'str1.parquet'), [{ id: 'b', dataset: 'barley' }])
  const { rows } = await queryCatalog(
    root,
    'SELECT prediction_id AS id, dataset_name AS name, array_source AS source FROM predictions ORDER BY id',
  )
  expect(rows).toEqual([
    { id: 'a', name: 'wheat', source: 'arrays/st?r[1].parquet' },
    { id: 'b', name: 'barley', source: 'arrays/str1.parquet' },
  ])
})

test('test_predictions_from_parquet: a lone file gives its rows, with what it knows of them', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'wheat.parquet')
  await makeParquet(path, [
    { id: 'a', score: 0.5 },
    { id: 'b', fold: 'final' },
    { id: 'a', score: 0.25 },
  ])
  const { rows, meta } = await queryCatalog(
    path,
    'SELECT prediction_id AS id, val_score, fold_kind, run_id, model_class, array_source FROM predictions ORDER BY id',
  )
  expect(rows).toEqual([
    { id: 'a', val_score: 0.25, fold_kind: 'fold', run_id: null, model_class: '', array_source: 'wheat.parquet' },
    { id: 'b', val_score: 1, fold_kind: 'refit', run_id: null, model_class: '', array_source: 'wheat.parquet' },
  ])
  expect(meta.storage_status).toMatchObject({ storage_mode: 'portable', migration_needed: false, written_by: null })
  await writeFile(path, 'PAR1 not really PAR1')
  await expect(queryCatalog(path, 'SELECT 1')).rejects.toMatchObject({ code: 'store_unreadable' })
})

test('predictions whose file is damaged point to it and have no arrays', async () => {
  const predictions = [{ id: 'a' }, { id: 'b', dataset: 'rye' }]
  const made: Made = {
    store: { release: '0.8.1', predictions },
    arrays: { 'wheat.parquet': 'PAR1 cut', 'rye.parquet': [{ id: 'b', dataset: 'rye' }] },
  }
  const { rows } = await queryMade(made, 'SELECT prediction_id AS id, has_arrays, array_source FROM predictions ORDER BY id')
  expect(rows).toEqual([
    { id: 'a', has_arrays: false, array_source: 'arrays/wheat.parquet' },
    { id: 'b', has_arrays: true, array_source: 'arrays/rye.parquet' },
  ])
})

test('a DuckDB file of somebody else is not a workspace', async () => {
  const extra = ['DROP TABLE prediction_arrays', 'DROP TABLE predictions']
  await expect(queryMade({ store: { release: '0.7.1', extra } }, 'SELECT 1')).rejects.toMatchObject({ code: 'not_a_workspace' })
})

describe('while another program writes', () => {
  const sceneOf = async () => {
    const folder = await temporaryFolder()
    const inside = (name: string) => join(folder.path, 'workspace', name)
    await mkdir(inside('arrays'), { recursive: true })
    await makeStore(inside('store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
    await convertStore(inside(''))
    await makeParquet(inside('arrays/wheat.parquet'), [{ id: 'a' }])
    const resolved = await resolveWorkspace(inside(''))
    const options = { cacheFolder: join(folder.path, 'cache') }
    const add = (id: string) =>
      changeSqlite(
        inside('store.sqlite'),
        `CREATE TEMP TABLE next AS SELECT * FROM predictions WHERE prediction_id = 'a';
         UPDATE next SET prediction_id = '${id}'; INSERT INTO predictions SELECT * FROM next`,
      )
    return { folder, inside, resolved, options, add, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
  }

  test('what it adds between the reading of arrays and of metadata is read again: no prediction stands without its arrays', async () => {
    await using scene = await sceneOf()
    const { folder, inside, resolved, options } = scene
    const grown = join(folder.path, 'grown.parquet')
    await makeParquet(grown, [{ id: 'a' }, { id: 'b' }])
    const steps: string[] = []
    const onProgress = ({ step }: CatalogProgress) => {
      if (step === 'metadata' && !steps.includes(step)) {
        renameSync(grown, inside('arrays/wheat.parquet'))
        scene.add('b')
      }
      steps.push(step)
    }
    const built = await buildCatalog(resolved, { ...options, onProgress })
    const catalog = await openCatalog(built)
    const rows = await catalog.engine.rows(Row, 'SELECT prediction_id AS id, array_source FROM predictions ORDER BY id')
    catalog.close()
    expect(rows).toEqual(['a', 'b'].map((id) => ({ id, array_source: 'arrays/wheat.parquet' })))
    expect((await findCatalog(resolved, options)).fresh?.path).toBe(built.path)
    expect(steps).toEqual(['arrays', 'metadata', 'finish', 'arrays', 'metadata', 'finish'])
    expect(await readdir(catalogFolder(options))).toHaveLength(1)
  })

  test('without a pause it is store_locked after a few times; what was read last is kept where that is wanted, and never fresh', async () => {
    await using scene = await sceneOf()
    const { resolved, options } = scene
    let times = 0
    const onProgress = ({ step }: CatalogProgress) => {
      if (step === 'metadata') scene.add(`more-${times++}`)
    }
    await expect(buildCatalog(resolved, { ...options, onProgress })).rejects.toMatchObject({ code: 'store_locked' })
    expect([times, await readdir(catalogFolder(options))]).toEqual([3, []])
    const built = await buildCatalog(resolved, { ...options, onProgress, evenWhenWritten: true })
    expect(times).toBe(6)
    const found = await findCatalog(resolved, options)
    expect([found.fresh, found.last?.path]).toEqual([undefined, built.path])
  })

  test('a store that it is just writing over is not called damaged', async () => {
    await using scene = await sceneOf()
    const { folder, inside, resolved, options } = scene
    const whole = join(folder.path, 'whole.sqlite')
    await copyFile(inside('store.sqlite'), whole)
    const steps: string[] = []
    const onProgress = ({ step }: CatalogProgress) => {
      steps.push(step)
      if (steps.length === 2) truncateSync(inside('store.sqlite'), 5000)
      if (steps.length === 3) renameSync(whole, inside('store.sqlite'))
    }
    await buildCatalog(resolved, { ...options, onProgress })
    expect(steps).toEqual(['arrays', 'metadata', 'arrays', 'metadata', 'finish', 'arrays', 'metadata', 'finish'])
  })
})

describe('the cache folder', () => {
  test('is the one that the platform has for this', () => {
    expect(defaultCacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'nirs-workspace'))
    expect(defaultCacheFolder({}, 'darwin')).toContain(join('Library', 'Caches', 'nirs-workspace'))
    expect(defaultCacheFolder({ LOCALAPPDATA: '/local' }, 'win32')).toBe(join('/local', 'nirs-workspace'))
    expect(defaultCacheFolder({}, 'linux')).toContain(join('.cache', 'nirs-workspace'))
  })

  test('holds the fresh catalog and the one before; a changed workspace has no fresh one', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    const options = { cacheFolder: cache.path }
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
    const resolved = await resolveWorkspace(folder.path)
    expect(await findCatalog(resolved, options)).toEqual({ fresh: undefined, last: undefined })
    for (const name of ['one', 'two', 'three']) {
      await mkdir(join(folder.path, 'arrays'), { recursive: true })
      await makeParquet(join(folder.path, 'arrays', `${name}.parquet`), [{ id: 'a' }])
      expect((await findCatalog(resolved, options)).fresh).toBeUndefined()
      const built = await buildCatalog(resolved, options)
      const found = await findCatalog(resolved, options)
      expect(found.fresh).toMatchObject({ path: built.path, fingerprint: built.fingerprint })
      expect(found.last).toEqual(found.fresh)
    }
    const names = await readdir(catalogFolder(options))
    expect(names.filter((name) => parseCatalogName(name) !== null)).toHaveLength(2)
    expect(names).toHaveLength(2)
  })

  test('is tidied of folders of dead builders, and keeps what belongs to other workspaces', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    const options = { cacheFolder: cache.path }
    const build = async (name: string) => {
      await mkdir(join(folder.path, name))
      await makeStore(join(folder.path, name, 'store.duckdb'), { release: '0.8.1' })
      return basename((await buildCatalog(await resolveWorkspace(join(folder.path, name)), options)).path)
    }
    const others = [await build('one'), await build('two')]
    const builders = ['.build-1-dead', '.build-2-busy'].map((name) => join(catalogFolder(options), name))
    for (const builder of builders) await mkdir(builder)
    await utimes(builders[0] ?? '', 1, 1)
    const own = await build('three')
    expect((await readdir(catalogFolder(options))).sort()).toEqual(['.build-2-busy', ...others, own].sort())
    // A catalog of another release of this program has other tables.
    expect([own, own.replace(/\.v\d+\./, '.v0.')].map((name) => parseCatalogName(name) !== null)).toEqual([true, false])
  })

  test('two builders at once both end with a whole catalog and leave nothing else', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }, { id: 'b' }] })
    const resolved = await resolveWorkspace(folder.path)
    const [one, two] = await Promise.all([1, 2].map(() => buildCatalog(resolved, { cacheFolder: cache.path })))
    expect(one?.path).toBe(two?.path)
    const catalog = await openCatalog(one ?? expect.fail())
    expect(await catalog.engine.rows(Row, 'SELECT count(*) AS n FROM predictions')).toEqual([{ n: 2 }])
    catalog.close()
    expect(await readdir(catalogFolder({ cacheFolder: cache.path }))).toHaveLength(1)
  })

  test('a damaged catalog is removed, said to be missing, and made again', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    const options = { cacheFolder: cache.path }
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
    const resolved = await resolveWorkspace(folder.path)
    const { path } = await buildCatalog(resolved, options)
    await truncate(path, 50_000)
    const { fresh } = await findCatalog(resolved, options)
    await expect(openCatalog(fresh ?? expect.fail())).rejects.toMatchObject({ code: 'catalog_building' })
    expect((await findCatalog(resolved, options)).fresh).toBeUndefined()
    const again = await openCatalog(await buildCatalog(resolved, options))
    again.close()
  })

  test('that cannot be made is write_failed', async () => {
    await using folder = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1' })
    await writeFile(join(folder.path, 'file'), '')
    const built = buildCatalog(await resolveWorkspace(folder.path), { cacheFolder: join(folder.path, 'file') })
    await expect(built).rejects.toMatchObject({ code: 'write_failed' })
  })

  test('an open catalog can be removed from it, and opens nothing but itself', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
    const catalog = await openCatalog(await buildCatalog(await resolveWorkspace(folder.path), { cacheFolder: cache.path }))
    await rm(catalog.file.path)
    expect(await catalog.engine.rows(Row, 'SELECT count(*) AS n FROM predictions')).toEqual([{ n: 1 }])
    await expect(catalog.engine.run("SELECT * FROM read_text('/etc/hostname')")).rejects.toThrow(/disabled/)
    await expect(catalog.engine.run('DELETE FROM predictions')).rejects.toThrow(/read-only/)
    catalog.close()
  })
})

describe.runIf(hasSharedWorkspaces())('workspaces written by nirs4all', () => {
  test.each(sharedWorkspaceNames)('%s: the catalog has the expected rows, and looking changes nothing', async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await hashTree(copy.path)
    const { rows, meta } = await queryCatalog(
      copy.path,
      `SELECT dataset_name, count(*) AS predictions, count(*) FILTER (has_arrays) AS "withArrayRow", count(*) FILTER (fold_kind = 'refit') AS refit,
         count(*) FILTER (aggregated) AS "aggTwins", count(DISTINCT chain_id) AS chains FROM predictions GROUP BY dataset_name`,
    )
    expect(await hashTree(copy.path)).toBe(before)
    const { datasets, tables } = expectedWorkspace(name)
    const found = Object.fromEntries(rows.map(({ dataset_name, ...figures }): [string, object] => [String(dataset_name), figures]))
    expect(Object.keys(found).sort()).toEqual(Object.keys(datasets).sort())
    for (const [dataset, figures] of Object.entries(found)) expect(datasets[dataset], dataset).toMatchObject(figures)
    const { arrays, ...counts } = meta.counts
    expect(counts).toEqual({ projects: 0, ...Object.fromEntries(Object.keys(counts).map((table) => [table, tables[table] ?? 0])) })
    expect(arrays).toBe(Object.values(datasets).reduce((sum, dataset) => sum + dataset.withArrayRow, 0))
  })

  test('damaged-lost-arrays: every prediction has its arrays in the backup', async () => {
    await using copy = await copyWorkspace('damaged-lost-arrays')
    const { rows } = await queryCatalog(copy.path, 'SELECT array_source, count(*) AS n FROM predictions GROUP BY ALL')
    expect(rows).toEqual([{ array_source: 'bak', n: 529 }])
  })
})
