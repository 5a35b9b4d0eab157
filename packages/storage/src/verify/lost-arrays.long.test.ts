import { mkdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { makeDamagedArrays, ofDamagedArrays } from '../testing/damaged-arrays.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { type MadePrediction, makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { makeUpgraded } from '../testing/make-upgraded.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { verifyWorkspace } from './verify-workspace.ts'

const depths = ['quick', 'deep'] as const
const brief = (findings: readonly Finding[]) => findings.map(({ code, severity, count }) => `${severity} ${code} ${count}`)
const withCode = (findings: readonly Finding[], code: string) => findings.filter((finding) => finding.code === code)

const inspected = async (path: string) => {
  await using cache = await temporaryFolder()
  return (await inspectWorkspace(path, { cacheFolder: cache.path })).findings
}

describe('arrays that are in store.duckdb.bak only', () => {
  const predictions: MadePrediction[] = [
    { id: 'a', dataset: 'soil pH' },
    { id: 'b', dataset: 'soil:pH' },
    { id: 'moved', dataset: 'wheat' },
  ]

  test.each(depths)('the %s check counts them, misses no file and says what the inspection says', async (depth) => {
    await using folder = await temporaryFolder()
    await makeUpgraded(folder.path, predictions, [...predictions, { id: 'deleted since', fold: '1' }])
    await mkdir(join(folder.path, 'arrays'))
    await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), predictions.slice(2))
    const { findings, passed, rows_checked } = await verifyWorkspace(folder.path, { depth })
    const told = ['warning predictions_without_arrays 2']
    expect([passed, rows_checked, brief(findings)]).toEqual([false, 5, depth === 'deep' ? ['info no_checksums 1', ...told] : told])
    const [said] = withCode(await inspected(folder.path), 'predictions_without_arrays')
    expect(findings.at(-1)).toEqual({ ...said, severity: 'warning' })
    expect(said?.ids).toEqual(['a', 'b'])
  })

  test('their lengths are checked like those of the table', async () => {
    await using folder = await temporaryFolder()
    const extra = ["UPDATE prediction_arrays SET y_pred = [1, 2] WHERE prediction_id = 'b'"]
    await makeUpgraded(folder.path, predictions, predictions, extra)
    const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
    expect(withCode(findings, 'length_mismatch')).toMatchObject([
      { count: 1, detail: '1 prediction has arrays of different lengths.', ids: ['b'] },
    ])
  })

  test('the deep check reads every value of them', async () => {
    await using folder = await temporaryFolder()
    const values = 'list(sqrt(i + 0.25))'
    const insert = `INSERT INTO prediction_arrays (prediction_id, y_true, y_pred) SELECT 'a', ${values}, ${values} FROM range(30000) r(i)`
    const extra = ["PRAGMA force_compression = 'uncompressed'", insert]
    await makeUpgraded(folder.path, predictions.slice(0, 1), [{ id: 'a', dataset: 'soil pH', y: null }], extra)
    const lost = ['warning predictions_without_arrays 1']
    expect(brief((await verifyWorkspace(folder.path, { depth: 'deep' })).findings)).toEqual(lost)
    const path = join(folder.path, 'store.duckdb.bak')
    const bytes = await readFile(path)
    const value = Buffer.alloc(8)
    value.writeDoubleLE(Math.sqrt(15_000.25))
    const at = bytes.indexOf(value)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)
    await writeFile(path, bytes)
    const { findings, passed } = await verifyWorkspace(folder.path, { depth: 'deep' })
    expect([passed, brief(findings)]).toEqual([false, ['error backup_unreadable 1', 'error store_blocks_damaged 1', ...lost]])
    expect(findings[1]?.detail).toMatch(/^store\.duckdb\.bak: the bytes of block/)
  })

  test.each(depths)('a backup that cannot be read is a finding of its own of the %s check and of the inspection', async (depth) => {
    await using folder = await temporaryFolder()
    await makeUpgraded(folder.path, predictions, predictions)
    await truncate(join(folder.path, 'store.duckdb.bak'), 5000)
    for (const findings of [(await verifyWorkspace(folder.path, { depth })).findings, await inspected(folder.path)]) {
      expect(withCode(findings, 'backup_unreadable')).toMatchObject([
        { severity: 'error', count: 1, detail: expect.stringContaining('store.duckdb.bak, which cannot be read') },
      ])
    }
  })

  test.runIf(hasSharedWorkspaces()).each(depths)('damaged-lost-arrays: the %s check reads all 529 and changes nothing', async (depth) => {
    await using copy = await copyWorkspace('damaged-lost-arrays')
    const before = await hashTree(copy.path)
    const { findings, rows_checked } = await verifyWorkspace(copy.path, { depth })
    expect([rows_checked, brief(findings)]).toEqual([529, ['info missing_artifact_files 56', 'warning predictions_without_arrays 529']])
    expect(await hashTree(copy.path)).toBe(before)
  })
})

describe('predictions whose array file is damaged or gone', () => {
  const predictions = [...ofDamagedArrays, { id: 'gone too', dataset: 'soil:pH' }]

  test('are said with the file; the ones without arrays are those that have them nowhere', async () => {
    await using folder = await temporaryFolder()
    await makeDamagedArrays(folder.path, predictions)
    const found = [
      await inspected(folder.path),
      ...(await Promise.all(depths.map(async (depth) => (await verifyWorkspace(folder.path, { depth })).findings))),
    ]
    for (const findings of found) {
      expect(withCode(findings, 'predictions_without_arrays')).toEqual([
        { code: 'predictions_without_arrays', severity: 'warning', count: 1, detail: '1 prediction has no arrays.', ids: ['bare'] },
      ])
      expect(withCode(findings, 'corrupt_array_file')).toMatchObject([
        { count: 1, detail: expect.stringMatching(/rye\.parquet.* 2 predictions/) },
      ])
      expect(withCode(findings, 'missing_array_file')).toMatchObject([
        { count: 1, detail: expect.stringMatching(/soil_pH\.parquet.* 2 predictions/) },
      ])
    }
  })

  test('a missing file that several datasets share is named once, with all their predictions', async () => {
    await using folder = await temporaryFolder()
    await makeDamagedArrays(folder.path, predictions)
    const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
    const [missing, ...others] = withCode(findings, 'missing_array_file')
    expect(others).toEqual([])
    expect(missing).toMatchObject({ ids: ['gone', 'gone too'], detail: expect.stringContaining('soil pH, soil:pH') })
    expect(missing).not.toHaveProperty('dataset_name')
  })

  test('none is without arrays when all of a dataset are in the damaged file', async () => {
    await using folder = await temporaryFolder()
    await makeDamagedArrays(folder.path, predictions)
    await unlink(join(folder.path, 'arrays', 'wheat.parquet'))
    for (const depth of depths) {
      const { findings } = await verifyWorkspace(folder.path, { depth })
      expect(withCode(findings, 'predictions_without_arrays')).toEqual([])
    }
    expect(withCode(await inspected(folder.path), 'predictions_without_arrays')).toEqual([])
  })
})

test('one of a kind is said in the singular', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'a' }, { id: 'b', dataset: 'rye' }]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions })
  await mkdir(join(folder.path, 'arrays'))
  await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'a' }, { id: 'a' }, { id: 'x' }])
  await makeParquet(join(folder.path, 'arrays', 'rye.parquet'), [{ id: 'b', dataset: 'oat' }])
  const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
  expect(findings.map(({ detail }) => detail)).toEqual([
    '1 row in arrays/ belongs to no prediction and was not removed by anybody.',
    '1 row in arrays/ names another dataset than its prediction.',
    '1 prediction was saved again: an older row of it waits for `compact`.',
  ])
})
