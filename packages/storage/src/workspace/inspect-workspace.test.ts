import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding, Inspection } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { hashTree } from '../testing/hash-tree.ts'
import { holdStore } from '../testing/hold-store.ts'
import { type MadePrediction, makeParquet, makeStore, type StoreToMake, temporaryFolder } from '../testing/make-store.ts'
import {
  copyWorkspace,
  expectedWorkspace,
  hasSharedWorkspaces,
  type SharedWorkspaceName,
  sharedWorkspaceNames,
} from '../testing/shared-workspaces.ts'
import { inspectWorkspace } from './inspect-workspace.ts'
import { workspaceStats } from './workspace-stats.ts'

const inspect = async (path: string): Promise<Inspection> => {
  await using cache = await temporaryFolder()
  return await inspectWorkspace(path, { cacheFolder: cache.path })
}

const inspectMade = async (store: StoreToMake, arrays: Record<string, readonly MadePrediction[] | string> = {}): Promise<Inspection> => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), store)
  for (const [name, content] of Object.entries(arrays)) {
    await mkdir(join(folder.path, 'arrays'), { recursive: true })
    if (typeof content === 'string') await writeFile(join(folder.path, 'arrays', name), content)
    else await makeParquet(join(folder.path, 'arrays', name), content)
  }
  return await inspect(folder.path)
}

const brief = (findings: readonly Finding[]) => findings.map(({ code, severity, count }) => `${severity} ${code} ${count}`)

test('a sound workspace has nothing to report', async () => {
  const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }]
  const inspection = await inspectMade({ release: '0.8.1', predictions }, { 'wheat.parquet': predictions })
  expect(inspection.findings).toEqual([])
  expect(inspection.datasets).toEqual([{ name: 'wheat', predictions: 2, arrays: 2, parquet_bytes: inspection.sizes.arrays_bytes }])
})

test.runIf(existsSync('/proc/locks'))(
  'who holds a store without having written to it is named, also when nothing needs to be read anew',
  async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    const store = join(folder.path, 'store.duckdb')
    await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
    const options = { cacheFolder: cache.path }
    expect(await inspectWorkspace(folder.path, options)).toMatchObject({ locked_by: null })
    {
      await using holder = await holdStore(store)
      const locked_by = { pid: holder?.pid, command: expect.stringContaining('node') }
      expect(await inspectWorkspace(folder.path, options)).toMatchObject({ locked_by, counts: { predictions: 1 } })
      expect(await workspaceStats(folder.path, options)).toMatchObject({ locked_by })
    }
    expect(await workspaceStats(folder.path, options)).toMatchObject({ locked_by: null })
  },
)

test('test_array_store_integrity_check: orphans, missing, duplicate and removed rows are told apart, with their ids', async () => {
  const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2' }]
  const arrays = {
    'wheat.parquet': [{ id: 'a' }, { id: 'a' }, { id: 'x' }, { id: 'gone' }],
    '_tombstones.json': '{"gone": "2026-02-19T10:00:00+00:00"}',
  }
  const { findings, counts } = await inspectMade({ release: '0.8.1', predictions }, arrays)
  expect(brief(findings)).toEqual([
    'warning duplicate_array_rows 1',
    'warning orphan_arrays 1',
    'warning predictions_without_arrays 2',
    'info tombstones 1',
  ])
  expect(findings.map((finding) => finding.ids)).toEqual([['a'], ['x'], ['b', 'c'], undefined])
  expect(counts).toMatchObject({ predictions: 3, arrays: 1 })
})

test('every damaged array file is an error of its own, and so is a damaged list of removed predictions', async () => {
  const arrays = { 'rye.parquet': 'PAR1 cut', 'wheat.parquet': '', '_tombstones.json': '{"a": ' }
  const { findings } = await inspectMade({ release: '0.8.1', predictions: [{ id: 'a' }] }, arrays)
  expect(brief(findings)).toEqual(['error corrupt_array_file 1', 'error corrupt_array_file 1', 'error tombstones_corrupt 1'])
  expect(findings.map(({ detail }) => detail).slice(0, 2)).toEqual([
    expect.stringMatching(/arrays\/rye\.parquet.*Nothing was changed\.$/),
    expect.stringMatching(/arrays\/wheat\.parquet.*The arrays of 1 prediction cannot be read because of that\.$/),
  ])
})

test.skipIf(process.platform === 'win32')(
  'links, pipes and folders that are called like array files are errors and never opened',
  async () => {
    await using folder = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
    await mkdir(join(folder.path, 'arrays', 'folder.parquet'), { recursive: true })
    execFileSync('mkfifo', [join(folder.path, 'arrays', 'pipe.parquet')])
    await makeParquet(join(folder.path, 'elsewhere'), [{ id: 'a' }])
    await symlink(join(folder.path, 'elsewhere'), join(folder.path, 'arrays', 'wheat.parquet'))
    const { findings } = await inspect(folder.path)
    expect(brief(findings).slice(0, 3)).toEqual(Array(3).fill('error corrupt_array_file 1'))
    expect(findings[2]?.detail).toContain('wheat.parquet')
  },
)

test('natural keys that occur twice, without a branch too, and datasets that share a file are reported', async () => {
  const predictions = [{ id: 'a' }, { id: 'b' }, { id: 'c', fold: '1' }, { id: 'd', dataset: 'whe at' }, { id: 'e', dataset: 'whe_at' }]
  const { findings } = await inspectMade({ release: '0.8.1', predictions }, { 'whe_at.parquet': predictions })
  expect(brief(findings)).toEqual(['warning duplicate_natural_keys 1', 'info shared_file_name 3'])
})

test('rows of the table without a prediction, and rows of arrays/ that differ from the table', async () => {
  const alike: MadePrediction = { id: 'd', fold: '3', score: Number.NaN, y: [Number.NaN, Number.POSITIVE_INFINITY] }
  const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2', y: [] }, alike]
  const extra = [
    'CREATE TABLE held AS FROM prediction_arrays',
    'DROP TABLE prediction_arrays',
    'ALTER TABLE held RENAME TO prediction_arrays',
    "INSERT INTO prediction_arrays (prediction_id) VALUES ('lonely')",
  ]
  const parquet = [{ id: 'a', y: [1, 2, 4] }, { id: 'b', score: 2 }, { id: 'c', y: null }, alike]
  const { findings } = await inspectMade({ release: '0.7.1', predictions, extra }, { 'wheat.parquet': parquet })
  expect(brief(findings)).toEqual(['warning rows_without_metadata 1', 'warning stale_parquet_rows 2'])
  expect(findings.map((finding) => finding.ids)).toEqual([['lonely'], ['a', 'b']])
})

test('runs that never ended, a log beside the store and artifact files out of step are reported', async () => {
  await using folder = await temporaryFolder()
  const artifact = (id: string, path: string) =>
    `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', '${path}', 'h')`
  const old = "UPDATE runs SET status = 'running', created_at = TIMESTAMP '2020-01-01 00:00:00'"
  await makeStore(join(folder.path, 'store.duckdb'), {
    release: '0.7.1',
    predictions: [{ id: 'a' }],
    extra: [old, artifact('there', 'ab/model.joblib'), artifact('missing', 'cd/model.joblib')],
  })
  await mkdir(join(folder.path, 'artifacts', 'ab'), { recursive: true })
  await writeFile(join(folder.path, 'artifacts', 'ab', 'model.joblib'), 'x')
  await writeFile(join(folder.path, 'artifacts', 'extra.joblib'), 'x')
  const { findings, sizes } = await inspect(folder.path)
  expect(brief(findings)).toEqual(['warning running_runs 1', 'info missing_artifact_files 1', 'info unreferenced_artifact_files 1'])
  expect(findings.map(({ detail }) => detail)).toEqual([
    '1 run is marked as running, for more than a day: most likely it was stopped and never finished.',
    '1 of 2 artifact rows names a file that is not in artifacts/.',
    '1 file in artifacts/ is named by no row.',
  ])
  expect(sizes.artifacts_bytes).toBe(2)
})

test('test_workspace_stats_includes_arrays: space by category and rows by table', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  await mkdir(join(folder.path, 'arrays'))
  await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'a' }, { id: 'a' }])
  await writeFile(join(folder.path, 'store.duckdb.20260219T101112Z.bak'), 'x'.repeat(100))
  await mkdir(join(folder.path, '.nirs-workspace', 'trash', 'op-1'), { recursive: true })
  await writeFile(join(folder.path, '.nirs-workspace', 'trash', 'op-1', 'rows'), 'x'.repeat(10))
  const stats = await workspaceStats(folder.path, { cacheFolder: cache.path })
  const bytes = Object.fromEntries(stats.space_usage.map((usage) => [usage.category, usage.bytes]))
  expect(Object.keys(bytes)).toEqual(['Store', 'Prediction arrays', 'Artifacts', 'Backups', 'Trash', 'Logs', 'Other'])
  expect(bytes).toMatchObject({
    Backups: 100,
    Trash: 10,
    'Prediction arrays': stats.parquet_arrays_size_bytes,
    Store: stats.duckdb_size_bytes,
  })
  expect(Object.values(bytes).reduce((sum, part) => sum + part, 0)).toBe(stats.total_bytes)
  expect(stats.tables).toMatchObject({ predictions: 1, prediction_arrays: 1 })
  expect(stats.reclaimable_bytes).toBeGreaterThanOrEqual(Math.floor(stats.parquet_arrays_size_bytes / 2))
})

describe.runIf(hasSharedWorkspaces())('workspaces written by nirs4all', () => {
  test.each(sharedWorkspaceNames)('%s: counts and datasets are the expected ones, and inspecting changes nothing', async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await hashTree(copy.path)
    const { datasets, counts } = await inspect(copy.path)
    expect(await hashTree(copy.path)).toBe(before)
    const expected = expectedWorkspace(name)
    expect(counts.predictions).toBe(expected.tables.predictions)
    expect(datasets.map(({ name: dataset, predictions, arrays }) => ({ dataset, predictions, arrays }))).toEqual(
      Object.entries(expected.datasets)
        .map(([dataset, { predictions, withArrayRow }]) => ({ dataset, predictions, arrays: withArrayRow }))
        .sort((a, b) => Buffer.compare(Buffer.from(a.dataset), Buffer.from(b.dataset))),
    )
  })

  const oddities: [SharedWorkspaceName, string[]][] = [
    ['mid-migration', ['warning duplicate_array_rows 1', 'warning stale_parquet_rows 1', 'info missing_artifact_files 99']],
    [
      'hybrid-0.8.1',
      ['info shared_file_name 2', 'info tombstones 1', 'info missing_artifact_files 18', 'info unreferenced_artifact_files 13'],
    ],
    ['damaged-lost-arrays', ['error predictions_without_arrays 529', 'info missing_artifact_files 99']],
    ['crashed-wal', ['info missing_artifact_files 79', 'info write_ahead_log 1']],
  ]
  test.each(oddities)('%s: what is odd about it is found', async (name, expected) => {
    await using copy = await copyWorkspace(name)
    const { findings } = await inspect(copy.path)
    // Whether a run of the sample has been running for more than a day depends on the day.
    expect(brief(findings.filter((finding) => finding.code !== 'running_runs'))).toEqual(expected)
  })

  test('a Parquet file cut short is an error, never "no data"', async () => {
    await using copy = await copyWorkspace('hybrid-0.8.1')
    await cp(join(copy.path, 'arrays', 'sugar_class.parquet'), join(copy.path, 'kept'))
    await truncate(join(copy.path, 'arrays', 'sugar_class.parquet'), 5_000)
    const { findings, counts } = await inspect(copy.path)
    expect(findings.filter(({ severity }) => severity !== 'info')).toMatchObject([
      { code: 'corrupt_array_file', severity: 'error', count: 1, detail: expect.stringContaining('The arrays of 34 predictions') },
    ])
    expect(counts.arrays).toBe(639 - 34)
  })
})
