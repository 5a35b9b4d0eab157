import { cp, mkdir, readdir, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ArrayFolder } from '../array-store/array-folder.ts'
import { ArrayStore } from '../array-store/array-store.ts'
import { withLazyEngine } from '../array-store/lazy-engine.ts'
import { withArrayReader } from '../arrays/array-reader.ts'
import { hashDatasetArrays } from '../arrays/dataset-hash.ts'
import { arrayFileName } from '../arrays/file-name.ts'
import { expectedFigures, sampleWorkspace } from '../arrays/testing/sample-workspace.ts'
import { floatList } from '../engine/number-list.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { resolveMaintained } from '../maintenance/maintenance-workspace.ts'
import { filesOf, forgetLock } from '../testing/fault-oracle.ts'
import { withFault } from '../testing/fault-scene.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { type MadePrediction, makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { makeUpgraded } from '../testing/make-upgraded.ts'
import { rewriteParquet, tamperBefore } from '../testing/tamper.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { detectStorage } from '../workspace/detect-storage.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { planRescue, withLostRows } from './plan-rescue.ts'
import { rescueArrays } from './rescue-arrays.ts'
import { rescueFile } from './rescue-file.ts'
import { readShown } from './testing/read-shown.ts'

afterEach(() => setFaultHook(undefined))

const rescue = (path: string) => rescueArrays(path, { jobId: 'rescue' })
const stateOf = async (path: string) => {
  const { storage_mode, rescue_needed } = await detectStorage(await resolveWorkspace(path))
  return [storage_mode, rescue_needed]
}
const lossesOf = async (path: string) => {
  await using cache = await temporaryFolder()
  const { findings } = await inspectWorkspace(path, { cacheFolder: cache.path })
  return findings.filter(({ code }) => code === 'predictions_without_arrays').map(({ severity, count }) => `${severity} ${count}`)
}
/** Everything but arrays/. */
const outside = async (path: string) =>
  Object.fromEntries(Object.entries(await filesOf(path)).filter(([name]) => !name.startsWith('arrays/')))

describe.runIf(expectedFigures.has('damaged-lost-arrays'))('damaged-lost-arrays', () => {
  test('every array that was shown from the backup is in a file afterwards, and nothing else has changed', async () => {
    const sample = await sampleWorkspace('damaged-lost-arrays')
    const { root } = sample.resolved
    const expected = expectedFigures.get('damaged-lost-arrays')?.datasets ?? {}
    const counts = Object.entries(expected).map(([name, { withArrayRow }]) => ({ name, predictions: withArrayRow }))
    try {
      const [before, tree] = [await readShown(root), await hashTree(root)]
      expect(before.places).toEqual(['bak'])
      const plan = await planRescue(root)
      expect(await hashTree(root)).toBe(tree)
      expect(plan).toMatchObject({ dry_run: true, predictions: 529, stay_lost: 0, marked_removed: 0, unknown_rows: 0 })
      expect(plan.datasets.map(({ name, predictions }) => ({ name, predictions }))).toEqual(expect.arrayContaining(counts))
      expect(plan.bytes_estimated).toBeGreaterThan(0)

      const files = await outside(root)
      const report = await rescue(root)
      expect(report).toMatchObject({ predictions: 529, stay_lost: 0 })
      expect(report.datasets.map(({ name, predictions, values }) => [name, predictions, values])).toEqual(
        plan.datasets.map(({ name, predictions, values }) => [name, predictions, values]),
      )
      expect(await outside(root)).toEqual(files)
      const after = await readShown(root)
      expect(after.arrays).toEqual(before.arrays)
      expect(after.places).toEqual((await readdir(join(root, 'arrays'))).sort().map((name) => `arrays/${name}`))
      await withArrayReader({}, async (reader) => {
        for (const [dataset, { arraysSha256 }] of Object.entries(expected)) {
          const refs = sample.predictions.filter(({ dataset_name }) => dataset_name === dataset)
          const inFiles = refs.map((ref) => ({ ...ref, array_source: `arrays/${arrayFileName(dataset)}` }))
          expect(await hashDatasetArrays(reader, sample.resolved, inFiles), dataset).toBe(arraysSha256)
        }
      })

      expect([await stateOf(root), await lossesOf(root)]).toEqual([['sqlite', false], []])
      // The samples are without their model files.
      const checked = await verifyWorkspace(root, { depth: 'deep' })
      expect([checked.passed, checked.findings.filter(({ code }) => code !== 'missing_artifact_files')]).toEqual([true, []])
      const [done, arrays] = [await filesOf(root), await hashTree(join(root, 'arrays'))]
      expect(await planRescue(root)).toMatchObject({ predictions: 0, datasets: [] })
      expect(await rescue(root)).toMatchObject({ predictions: 0, datasets: [] })
      expect([await filesOf(root), await hashTree(join(root, 'arrays'))]).toEqual([done, arrays])
    } finally {
      await sample.remove()
    }
  })
})

const names = ['', '../up', 'a/b', "it's; --", 'CON', 'Blé dur', 'Blé_dur', '100%[x]*?', '__proto__', 'x'.repeat(400)]
const odd: readonly MadePrediction[] = [
  ...names.map((dataset, index) => ({ id: `n-${index}`, dataset, y: [index, -0, Number.NaN] })),
  ...['nan', 'empty', 'null', 'holes', 'flat', 'classes', 'uneven', '__proto__'].map((id) => ({
    id,
    dataset: 'wheat',
    fold: id,
    samples: id === 'nan' ? 5 : 3,
  })),
]
const oddArrays = [
  "UPDATE prediction_arrays SET y_true = ['NaN', '-Infinity', 'Infinity', '-0.0', '5e-324'], y_pred = ['-0.0', '0.0', 'NaN', '1e308', '0.1'] WHERE prediction_id = 'nan'",
  "UPDATE prediction_arrays SET y_true = [], y_pred = [], y_proba = [], sample_indices = [], weights = [] WHERE prediction_id = 'empty'",
  "UPDATE prediction_arrays SET y_true = NULL, y_pred = NULL WHERE prediction_id = 'null'",
  "UPDATE prediction_arrays SET y_true = [NULL, 1, NULL], sample_indices = [NULL, -2147483648, 2147483647] WHERE prediction_id = 'holes'",
  "UPDATE prediction_arrays SET y_proba = [0.5, 0.25, 0.125], weights = [0.75] WHERE prediction_id = 'flat'",
  "UPDATE prediction_arrays SET y_proba = ['0.5', '0.5', 'NaN', '1', '-0.0', '1'] WHERE prediction_id = 'classes'",
  "UPDATE prediction_arrays SET y_proba = [0.5, 0.5], y_pred = [1] WHERE prediction_id = 'uneven'",
]

test('values, shapes and names that are odd come through to the bit, whichever kind of store knows the predictions', async () => {
  await using folder = await temporaryFolder()
  const [upgraded, duckdb] = ['upgraded', 'duckdb'].map((name) => join(folder.path, name))
  if (upgraded === undefined || duckdb === undefined) throw new Error('two folders')
  await mkdir(upgraded)
  await mkdir(duckdb)
  await makeUpgraded(upgraded, odd, odd, oddArrays)
  await cp(join(upgraded, 'store.duckdb.bak'), join(duckdb, 'store.duckdb.bak'))
  await makeStore(join(duckdb, 'store.duckdb'), { release: '0.8.1', predictions: odd })
  const shown = await readShown(upgraded)
  expect(Object.values(shown.arrays)).not.toContain(null)
  for (const path of [upgraded, duckdb]) {
    const fractions: number[] = []
    const { datasets } = await rescueArrays(path, { jobId: 'rescue', onProgress: ({ fraction }) => fractions.push(fraction) })
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(datasets.map(({ name }) => name).sort()).toEqual([...names, 'wheat'].sort())
    expect((await readShown(path)).arrays).toEqual(shown.arrays)
    expect((await verifyWorkspace(path, { depth: 'deep' })).findings.map(({ code }) => code)).toEqual(['length_mismatch'])
  }
  expect(await readdir(folder.path)).toEqual(['duckdb', 'upgraded'])
  expect((await readdir(duckdb)).sort()).toEqual(['arrays', 'store.duckdb', 'store.duckdb.bak'])
  const stored = await ArrayStore.open(upgraded).loadBatch(['classes', 'flat', 'uneven'])
  expect(['classes', 'flat', 'uneven'].map((id) => stored.get(id)?.y_proba_shape)).toEqual([[3, 2], [3], [2]])
})

describe('where some rows are in arrays/ already', () => {
  const wheat = (id: string, more: Partial<MadePrediction> = {}): MadePrediction => ({ id, dataset: 'wheat', fold: id, ...more })
  const predictions = ['there', 'lost', 'marked', 'marked and there', 'rye'].map((id) => wheat(id, id === 'rye' ? { dataset: 'rye' } : {}))
  const bare = [wheat('gone'), wheat('never', { samples: null })]

  const makePartial = async (path: string) => {
    await mkdir(path)
    await makeUpgraded(path, [...predictions, ...bare], [...predictions, wheat('deleted since'), wheat('deleted too')])
    await mkdir(join(path, 'arrays'))
    await makeParquet(join(path, 'arrays', 'wheat.parquet'), [wheat('there', { y: [7, 8] }), wheat('marked and there', { y: [9] })])
    const marks = { marked: '2026-01-01T00:00:00+00:00', 'marked and there': '2026-01-01T00:00:00+00:00' }
    await writeFile(join(path, 'arrays', '_tombstones.json'), JSON.stringify(marks))
  }

  test('these stay, the others come, and what the backup lacks or nobody knows is counted', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'partial')
    await makePartial(path)
    const before = (await readShown(path)).arrays
    const [tree, plan] = [await hashTree(path), await planRescue(path)]
    expect(await hashTree(path)).toBe(tree)
    expect(plan).toMatchObject({ predictions: 3, stay_lost: 1, marked_removed: 1, unknown_rows: 2 })
    expect(plan.datasets.map(({ name, predictions: count, stay_lost }) => [name, count, stay_lost])).toEqual([
      ['rye', 1, 0],
      ['wheat', 2, 1],
    ])
    expect(await rescue(path)).toMatchObject({ predictions: 3, stay_lost: 1, marked_removed: 1, unknown_rows: 2 })
    expect((await readShown(path)).arrays).toEqual(before)
    const rows = await ArrayStore.open(path).loadBatch(['there', 'lost', 'marked', 'marked and there', 'rye', 'deleted since'])
    expect([...rows].map(([id, { y_true }]) => [id, [...(y_true?.values ?? [])]]).sort()).toEqual([
      ['lost', [1, 2, 3]],
      ['marked', [1, 2, 3]],
      ['rye', [1, 2, 3]],
      ['there', [7, 8]],
    ])
    // What this program wrote is continued behind its row groups as they are.
    await makeStore(join(folder.path, 'later.duckdb'), { release: '0.7.1', predictions: [...predictions, ...bare] })
    await rename(join(folder.path, 'later.duckdb'), join(path, 'store.duckdb.bak'))
    expect(await rescue(path)).toMatchObject({ predictions: 2, stay_lost: 0, unknown_rows: 0 })
    expect(await readShown(path)).toMatchObject({ arrays: { ...before, gone: before.lost, never: before.lost } })
  })

  test('what another program writes between the look and the opening of the file stays, and is not hidden by the backup', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'arrived')
    await makePartial(path)
    const file = join(path, 'arrays', 'wheat.parquet')
    tamperBefore(
      ({ path: touched }) => touched.includes('_tombstones.json'),
      () => makeParquet(file, [wheat('there', { y: [7, 8] }), wheat('lost', { y: [42] })]),
    )
    await expect(rescue(path)).rejects.toMatchObject({
      code: 'workspace_busy',
      message: expect.stringContaining('of one prediction: lost.'),
    })
    setFaultHook(undefined)
    expect((await ArrayStore.open(path).loadSingle('lost'))?.y_true).toEqual(floatList([42]))
    await rescue(path)
    expect((await ArrayStore.open(path).loadSingle('lost'))?.y_true).toEqual(floatList([42]))
  })

  test('arrays for which the file has no column yet come along', async () => {
    await using folder = await temporaryFolder()
    await makeUpgraded(folder.path, predictions, predictions, ["UPDATE prediction_arrays SET weights = [0.5] WHERE prediction_id = 'lost'"])
    await mkdir(join(folder.path, 'arrays'))
    await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [wheat('there')])
    await rewriteParquet(join(folder.path, 'arrays', 'wheat.parquet'), '* EXCLUDE (weights, sample_indices)')
    expect(await rescue(folder.path)).toMatchObject({ predictions: 4 })
    expect([...((await ArrayStore.open(folder.path).loadSingle('lost'))?.weights?.values ?? [])]).toEqual([0.5])
  })

  test('the last of several rows for one prediction comes, as it is shown', async () => {
    await using folder = await temporaryFolder()
    await makeUpgraded(folder.path, predictions, predictions, [
      'CREATE TABLE loose AS FROM prediction_arrays',
      'DROP TABLE prediction_arrays',
      'ALTER TABLE loose RENAME TO prediction_arrays',
      "INSERT INTO prediction_arrays SELECT 'lost', [4, 5], [6, 7], NULL, NULL, NULL",
      'INSERT INTO prediction_arrays SELECT NULL, [4, 5], [6, 7], NULL, NULL, NULL',
    ])
    expect(await rescue(folder.path)).toMatchObject({ predictions: 5, unknown_rows: 1 })
    expect([...((await ArrayStore.open(folder.path).loadSingle('lost'))?.y_true?.values ?? [])]).toEqual([4, 5])
  })

  test('stopped at any instant everything is shown as before, and the next rescue comes to the same', async () => {
    await using folder = await temporaryFolder()
    const original = join(folder.path, 'original')
    await makePartial(original)
    const copy = async (name: string) => {
      await cp(original, join(folder.path, name), { recursive: true, preserveTimestamps: true })
      return join(folder.path, name)
    }
    const shown = (await readShown(original)).arrays
    const done = await copy('done')
    await expectFlushed(done, 'undisturbed', () => rescue(done))
    const total = (await withFault('count', 0, async () => rescue(await copy('counted')))).operations
    const left = new RegExp(`\\.(nirs-)?${process.pid}-`)
    // What lies in arrays/ under the number of a process that still runs, this one, is not swept.
    const filesIn = async (path: string) => Object.entries(await filesOf(path)).filter(([name]) => !left.test(name))
    const expected = await filesIn(done)
    for (const share of [0.4, 0.6, 0.8, 1]) {
      const n = Math.ceil(share * total)
      const path = await copy(`stopped-${n}`)
      await withFault('stop', n, () => rescue(path))
      await forgetLock(path)
      expect((await readShown(path)).arrays, `stopped at ${n} of ${total}`).toEqual(shown)
      await rescue(path)
      expect(await filesIn(path), `again after ${n}`).toEqual(expected)
    }
  })

  test('what is not what the backup holds when it is read back is not taken over', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'tampered')
    await makePartial(path)
    const before = await filesOf(join(path, 'arrays'))
    const others = { y_true: [1, 2, 3], y_pred: [1, 2, 4] }
    await ArrayStore.open(folder.path).saveBatch([{ prediction_id: 'rye', dataset_name: 'rye', ...others }])
    tamperBefore(
      ({ kind, path: part }) => kind === 'fsync' && part.endsWith('.part'),
      (part) => rename(join(folder.path, 'arrays', 'rye.parquet'), part),
    )
    await expect(rescue(path)).rejects.toMatchObject({ code: 'verification_failed' })
    setFaultHook(undefined)
    const { '_tombstones.json': _before, ...kept } = before
    const { '_tombstones.json': _after, ...found } = await filesOf(join(path, 'arrays'))
    expect(found).toEqual(kept)
  })

  test('a file to which fewer rows come than were counted stays as it was', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'fewer')
    await makePartial(path)
    const before = await filesOf(join(path, 'arrays'))
    const resolved = await resolveMaintained(path)
    const rescueWheat = (uncounted: number) =>
      withLostRows(resolved, undefined, (rows) => {
        const datasets = rows.datasets.flatMap((one) => (one.name === 'wheat' ? [{ ...one, rescuable: one.rescuable + uncounted }] : []))
        const file = { name: 'wheat.parquet', datasets }
        return withLazyEngine((engine) => rescueFile(rows, { folder: new ArrayFolder(path), engine }, file, () => undefined))
      })
    await expect(rescueWheat(1)).rejects.toMatchObject({
      code: 'verification_failed',
      message: expect.stringContaining('2 rows came instead of 3'),
    })
    expect(await filesOf(join(path, 'arrays'))).toEqual(before)
    expect([...(await rescueWheat(0)).keys()]).toEqual(['wheat'])
  })

  test('a full disk and a cancelled rescue leave no part, and are said as what they are', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'cancelled')
    await makePartial(path)
    const controller = new AbortController()
    const onProgress = vi.fn(({ done_rows }: { done_rows: number }) => (done_rows > 0 ? controller.abort() : undefined))
    await expect(rescueArrays(path, { jobId: 'a', signal: controller.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' })
    expect(onProgress).toHaveBeenCalledWith(expect.objectContaining({ phase: 'stage', total_rows: 3 }))
    tamperBefore(
      ({ kind, path: part }) => kind === 'fsync' && part.endsWith('.part'),
      () => Promise.reject(Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })),
    )
    await expect(rescue(path)).rejects.toMatchObject({
      code: 'write_failed',
      message: expect.stringContaining('store.duckdb.bak is untouched'),
    })
    setFaultHook(undefined)
    expect((await readdir(join(path, 'arrays'))).filter((name) => name.startsWith('.'))).toEqual([])
    expect(await readdir(path)).not.toContain('.nirs-workspace')
    expect(await rescue(path)).toMatchObject({ stay_lost: 1 })
  })
})

describe('refused, with nothing changed', () => {
  const predictions: MadePrediction[] = [{ id: 'a' }, { id: 'b', dataset: 'rye' }]

  const refusedIn = async (path: string, code: string) => {
    const tree = await hashTree(path)
    await expect(planRescue(path)).rejects.toMatchObject({ code })
    expect(await hashTree(path)).toBe(tree)
    const files = await filesOf(path)
    await expect(rescue(path)).rejects.toMatchObject({ code })
    expect(await filesOf(path)).toEqual(files)
  }

  test('while an array file cannot be read, which may have the rows, or the list of removed predictions', async () => {
    await using folder = await temporaryFolder()
    await makeUpgraded(folder.path, predictions, predictions)
    await mkdir(join(folder.path, 'arrays'))
    await writeFile(join(folder.path, 'arrays', 'other.parquet'), 'PAR1 cut')
    await refusedIn(folder.path, 'arrays_corrupt')
    await rename(join(folder.path, 'arrays', 'other.parquet'), join(folder.path, 'arrays', '_tombstones.json'))
    await refusedIn(folder.path, 'tombstones_corrupt')
  })

  test('a backup that cannot be read, that would lose digits, or that has what cannot be carried over', async () => {
    await using folder = await temporaryFolder()
    const [cut, lossy, newer] = ['cut', 'lossy', 'newer'].map((name) => join(folder.path, name))
    if (cut === undefined || lossy === undefined || newer === undefined) throw new Error('three folders')
    await mkdir(cut)
    await makeUpgraded(cut, predictions, predictions)
    await truncate(join(cut, 'store.duckdb.bak'), (await stat(join(cut, 'store.duckdb.bak'))).size / 2)
    await refusedIn(cut, 'store_unreadable')
    await mkdir(lossy)
    await makeUpgraded(lossy, predictions, predictions, ['ALTER TABLE prediction_arrays ALTER sample_indices TYPE BIGINT[]'])
    await refusedIn(lossy, 'store_unsafe')
    await mkdir(newer)
    await makeUpgraded(newer, predictions, predictions, ['ALTER TABLE prediction_arrays ADD COLUMN leverage MAP(VARCHAR, DOUBLE)'])
    await refusedIn(newer, 'store_too_new')
  })

  test('a store whose arrays are still inside, and files without a store', async () => {
    await using folder = await temporaryFolder()
    const [legacy, files] = [join(folder.path, 'legacy'), join(folder.path, 'files')]
    await mkdir(legacy)
    await makeStore(join(legacy, 'store.duckdb'), { release: '0.7.1', predictions })
    await refusedIn(legacy, 'not_migrated')
    await mkdir(join(files, 'arrays'), { recursive: true })
    await makeParquet(join(files, 'arrays', 'wheat.parquet'), predictions.slice(0, 1))
    await refusedIn(files, 'not_a_workspace')
  })
})

test('without a backup there is nothing to rescue, and nothing is written', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
  const files = await filesOf(folder.path)
  expect(await planRescue(folder.path)).toMatchObject({ predictions: 0, stay_lost: 1, unknown_rows: 0 })
  expect(await rescue(folder.path)).toMatchObject({ predictions: 0, stay_lost: 1 })
  expect(await filesOf(folder.path)).toEqual(files)
})
