import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { elementsOf } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { openArrays } from '../maintenance/open-arrays.ts'
import { readIds } from '../maintenance/read-texts.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { Predictions } from '../portable/predictions.ts'
import { upgradeStore } from '../sqlite/testing/convert-store.ts'
import { isLocked } from '../sqlite/testing/is-locked.ts'
import { faultHook } from '../testing/fault-hooks.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { withFault } from '../testing/fault-scene.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { holdStore } from '../testing/hold-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { changeStore } from '../testing/tamper.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { FlushJournal } from './flush-journal-schema.ts'
import { arraysOf, faultScene, flushAgain, foldsOf, predictedOf, predictionOf } from './testing/store-fixture.ts'
import { WorkspaceStore } from './workspace-store.ts'

afterEach(() => setFaultHook(undefined))

const before = { '0': [1, [1, 1]], '1': [2, null], '3': [4, [4, 4]] }
const after = { '0': [10, [10, 10]], '1': [20, [20, 20]], '2': [30, [30, 30]], '3': [40, null] }

test('test_workspace_store_flush_crash: stopped before every operation, scores and arrays belong together, and nothing of the flush stays', {
  timeout: 600_000,
}, async () => {
  await using scratch = await temporaryFolder()
  const original = join(scratch.path, 'original')
  await faultScene(original)
  expect(await foldsOf(original)).toEqual(before)
  const copyOf = async () => {
    const root = join(scratch.path, 'copy')
    await rm(root, { recursive: true, force: true })
    await cp(original, root, { recursive: true, preserveTimestamps: true })
    return root
  }
  const done = await copyOf()
  const operations = await expectFlushed(done, 'saving again', () => flushAgain(done))
  const total = operations.length
  expect(total).toBeGreaterThan(20)
  for (let n = 1; n <= total; n++) {
    for (const mode of ['stop', 'ENOSPC'] as const) {
      // Behind a flush a stop leaves what it left before.
      if (mode === 'stop' && operations[n - 2]?.kind.startsWith('fsync') === true) continue
      // `npm run test:faults` fills the disk before every operation.
      if (mode === 'ENOSPC' && n % 3 !== 0) continue
      const root = await copyOf()
      setFaultHook(faultHook(mode, n).hook)
      const error = await flushAgain(root).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      setFaultHook(undefined)
      await forgetLock(root)
      const about = `${mode} before ${n} of ${total} (${operations[n - 1]?.kind} ${operations[n - 1]?.path.split('/').at(-1)})`
      if (error !== null) expect(error, about).toMatchObject({ name: 'StorageError', code: 'write_failed' })
      let found: Record<string, unknown> = {}
      // The next opening recovers.
      await expectFlushed(root, about, async () => {
        found = await foldsOf(root)
      })
      expect([before, after], about).toContainEqual(found)
      expect(await readdir(join(root, '.nirs-workspace')).catch(() => []), about).toEqual([])
      // A stop leaves what a full disk leaves: saved again after one of them is enough.
      if (mode === 'stop') continue
      await flushAgain(root)
      expect(await foldsOf(root), about).toEqual(after)
    }
  }
})

const isTransaction = ({ kind, path }: DiskOperation) => kind === 'engine-write' && path.endsWith('/store.duckdb.wal')
const isLateJournal = ({ kind, path }: DiskOperation) => kind === 'fsync-folder' && existsSync(join(path, 'journal.json'))
const isTidied = ({ kind, path }: DiskOperation) => kind === 'remove-tree' && path.includes('/flushes/')

test.each([
  ['fails once, with the arrays there and the rows not', isTransaction, null],
  ['fails once, with its journal just written', isLateJournal, null],
  ['stops there', isTransaction, isTransaction],
  ['fails there, and stops while that is taken back', isTransaction, isTidied],
])('saving again that %s leaves what was there before', async (_, isFailing, isLast) => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  let hasFailed = false
  let isDead = false
  setFaultHook((operation) => {
    const fails = isDead || (!hasFailed && isFailing(operation))
    hasFailed ||= fails
    // What is last still reaches the disk.
    isDead ||= hasFailed && isLast?.(operation) === true
    if (fails) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(flushAgain(root)).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  expect(hasFailed).toBe(true)
  if (isLast === null) expect(existsSync(join(root, '.nirs-workspace', 'journal.json'))).toBe(false)
  await forgetLock(root)
  expect(await foldsOf(root)).toEqual(before)
  expect(await readdir(join(root, '.nirs-workspace')).catch(() => [])).toEqual([])
})

test.each([
  ['cannot be removed', ({ kind, path }: DiskOperation) => kind === 'unlink' && path.endsWith('/journal.json')],
  ['may come back with a power cut', ({ kind, path }: DiskOperation) => kind === 'fsync-folder' && path.endsWith('/.nirs-workspace')],
])('what a save has kept stays while its journal %s', async (_, isRefused) => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  const journal = join(root, '.nirs-workspace', 'journal.json')
  let text = ''
  setFaultHook(async (operation) => {
    if (text === '' && isLateJournal(operation)) text = await readFile(journal, 'utf8')
    else if (text === '' || !isRefused(operation)) return
    throw Object.assign(new Error('EBUSY: injected'), { code: 'EBUSY' })
  })
  await expect(flushAgain(root)).rejects.toThrow()
  setFaultHook(undefined)
  await forgetLock(root)
  await writeFile(journal, text)
  expect(await foldsOf(root)).toEqual(before)
  expect(await readdir(join(root, '.nirs-workspace')).catch(() => [])).toEqual([])
})

test('a save whose rows are in the store is done, also when another program has removed one of them since', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  const journal = join(root, '.nirs-workspace', 'journal.json')
  await stopFrom(
    ({ kind, path }) => kind === 'unlink' && path === journal,
    0,
    () => flushAgain(root),
  )
  const { evidence } = FlushJournal.parse(JSON.parse(await readFile(journal, 'utf8')))
  await changeStore(join(root, 'store.duckdb'), `DELETE FROM predictions WHERE prediction_id = '${evidence.prediction_ids[0]}'`)
  await forgetLock(root)
  const found = Object.entries(await foldsOf(root))
  expect(found).toHaveLength(3)
  expect(Object.entries(after)).toEqual(expect.arrayContaining(found))
})

const isEnding = ({ kind, path }: DiskOperation) => kind === 'unlink' && path.endsWith('/journal.json')

/** nirs4all until 0.8.3 that saves predictions which are known: the ids stay. */
const saveElsewhere = async (root: string, folds: readonly string[], value: number): Promise<void> => {
  const store = join(root, 'store.duckdb')
  const chosen = `fold_id IN (${folds.map((fold) => `'${fold}'`).join(', ')})`
  await changeStore(store, `UPDATE predictions SET val_score = ${value}, created_at = created_at + INTERVAL 1 MINUTE WHERE ${chosen}`)
  const rows = await withEngine({}, (engine) =>
    withAttachedStore(engine, store, 's', () => readIds(engine, `SELECT prediction_id FROM s.predictions WHERE ${chosen}`)),
  )
  const about = { dataset_name: 'wheat', model_name: 'PLS', fold_id: '0', partition: 'val', metric: 'rmse', task_type: 'regression' }
  await openArrays(root).saveBatch(rows.map((prediction_id) => ({ ...arraysOf(value, value), prediction_id, ...about, val_score: value })))
}

test.each([
  ['before its transaction', isTransaction, before],
  ['behind its transaction', isEnding, after],
])('what another program has saved since a save was killed %s stays, scores and arrays', async (_, isPlace, otherwise) => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  await stopFrom(isPlace, 0, () => flushAgain(root))
  await saveElsewhere(root, ['0', '1'], 7)
  await forgetLock(root)
  expect(await foldsOf(root)).toEqual({ ...otherwise, '0': [7, [7, 7]], '1': [7, [7, 7]] })
})

const isHeld = async (store: string): Promise<boolean> => {
  await using other = await holdStore(store)
  return other === null
}

test.each([
  ['store.duckdb', (root: string) => isHeld(join(root, 'store.duckdb'))],
  ['store.sqlite', async (root: string) => isLocked(join(root, 'store.sqlite'))],
])('nobody writes to a %s while the arrays of a save that was killed are put back', async (kind, isKeptOut) => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  await stopFrom(isTransaction, 0, () => flushAgain(root))
  if (kind === 'store.sqlite') await upgradeStore(root)
  await forgetLock(root)
  let isFree: boolean | undefined
  setFaultHook(async ({ kind, path }) => {
    if (isFree === undefined && kind === 'rename' && path.startsWith(join(root, 'arrays'))) isFree = !(await isKeptOut(root))
  })
  expect(await recoverWorkspace(root)).toMatchObject({ outcome: 'undone' })
  expect(isFree).toBe(false)
})

test('a save that is done is not undone where another program has saved all of its predictions since', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  await stopFrom(isEnding, 0, () => flushAgain(root))
  await saveElsewhere(root, ['0', '1', '2', '3'], 7)
  await forgetLock(root)
  expect(new Set(Object.values(await foldsOf(root)).map((fold) => JSON.stringify(fold)))).toEqual(new Set(['[7,[7,7]]']))
})

test.each([
  ['before its transaction', isTransaction, 'undone', before],
  ['behind its transaction', isEnding, 'finished', after],
])('a save that was killed %s is settled also where nirs4all has made a store.sqlite since', async (_, isPlace, outcome, folds) => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  await faultScene(root)
  await stopFrom(isPlace, 0, () => flushAgain(root))
  await upgradeStore(root)
  await forgetLock(root)
  expect(await recoverWorkspace(root)).toMatchObject({ outcome })
  await using store = await Predictions.open(root, { cacheFolder: join(folder.path, 'cache') })
  const rows = await store.toRows()
  const arrays = await store.loadArrays(rows.map(({ prediction_id }) => prediction_id))
  const foldOf = ({ fold_id, val_score, prediction_id }: (typeof rows)[number]) => {
    const predicted = arrays.get(prediction_id)?.y_pred
    return [fold_id, [val_score, predicted ? [...elementsOf(predicted)] : null]] as const
  }
  expect(Object.fromEntries(rows.map(foldOf))).toEqual(folds)
})

test('what a failed save could not take back is taken back by the next opening; until then nothing comes on top', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  const lineage = await faultScene(root)
  await using store = await WorkspaceStore.open(root)
  const save = (fold_id: string) => store.savePrediction(predictionOf(lineage, { fold_id, val_score: 10 }), arraysOf(10, 10))
  let isFailing = false
  setFaultHook((operation) => {
    isFailing ||= isTransaction(operation)
    if (isFailing) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(save('0')).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  const refused = await save('3').catch((error: unknown) => error)
  await store.close()
  expect(await foldsOf(root)).toEqual(before)
  expect(refused).toMatchObject({ code: 'interrupted' })
})

test('arrays of results whose save failed are nowhere: not after a second failure, nor where another program had marked older ones', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  const lineage = await faultScene(root)
  await using store = await WorkspaceStore.open(root)
  const rows = await store.queryPredictions()
  const idOf = (fold: string) => rows.find(({ fold_id }) => fold_id === fold)?.prediction_id ?? ''
  const list = join(root, 'arrays', '_tombstones.json')
  const failToSave = async (fold_id: string, value: number, isFailing = isTransaction) => {
    let hasFailed = false
    setFaultHook((operation) => {
      if (hasFailed || !isFailing(operation)) return
      hasFailed = true
      throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    })
    const saving = store.savePrediction(predictionOf(lineage, { fold_id, val_score: value }), arraysOf(value, value))
    await expect(saving).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    return [await predictedOf(store, idOf(fold_id)), existsSync(list)]
  }
  // A compaction takes a mark back of what the metadata knows.
  expect(await failToSave('1', 20)).toEqual([null, false])
  expect(await failToSave('1', 30)).toEqual([null, false])
  await writeFile(list, JSON.stringify({ [idOf('0')]: '2026-02-05T10:11:12.131415+00:00' }))
  // What was removed stays so, and its rows stay for a restore; whether the new ones had come or not.
  expect(await failToSave('0', 10)).toEqual([null, true])
  expect(await failToSave('0', 11, ({ path }) => path.startsWith(join(root, 'arrays')))).toEqual([null, true])
  await rm(list)
  expect(await predictedOf(store, idOf('0'))).toEqual([1, 1])
})

test('a failed save is taken back also where a file of arrays can no longer be rewritten', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  const lineage = await faultScene(root)
  await using store = await WorkspaceStore.open(root)
  setFaultHook(async (operation) => {
    if (!isTransaction(operation)) return
    await writeFile(join(root, 'arrays', 'another.parquet'), 'torn')
    throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  const saving = store.savePrediction(predictionOf(lineage, { fold_id: '1', val_score: 20 }), arraysOf(20, 20))
  await expect(saving).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  await store.close()
  await rm(join(root, 'arrays', 'another.parquet'))
  await rm(join(root, 'arrays', '_tombstones.json'))
  expect(await foldsOf(root)).toEqual(before)
})

test('an opening that fails leaves no lock', async () => {
  await using folder = await temporaryFolder()
  await faultScene(folder.path)
  await mkdir(join(folder.path, '.nirs-workspace'), { recursive: true })
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), '{"torn')
  await expect(WorkspaceStore.open(folder.path)).rejects.toThrow()
  expect(existsSync(join(folder.path, '.nirs-workspace', 'lock'))).toBe(false)
})

test('the log that DuckDB makes after a checkpoint has its name on the disk when a call returns', async () => {
  await using folder = await temporaryFolder()
  await faultScene(folder.path)
  await using store = await WorkspaceStore.open(folder.path)
  const flushes: string[] = []
  setFaultHook(({ kind, path }) => {
    if (kind === 'fsync-folder') flushes.push(path)
  })
  await store.createProject({ name: 'first' })
  expect(flushes).toEqual([store.root])
  await store.createProject({ name: 'second' })
  expect(flushes).toHaveLength(1)
})

test('a model has its name only when it is whole', async () => {
  await using folder = await temporaryFolder()
  await using store = await WorkspaceStore.open(folder.path, { create: true })
  const models = async () =>
    (await readdir(join(folder.path, 'artifacts'), { recursive: true, withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
  const seen: string[] = []
  setFaultHook(async ({ kind, path }) => {
    if (kind !== 'fsync' || !path.includes('/artifacts/')) return
    seen.push(...(await models()))
    throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(store.saveArtifact({ content: Buffer.from('model') })).rejects.toThrow()
  setFaultHook(undefined)
  expect(seen).toEqual([expect.stringMatching(/\.tmp$/)])
  expect(await models()).toEqual([])
})

test('a new workspace and its first model are flushed with the folders that hold them', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'new')
  await mkdir(path)
  const stores: WorkspaceStore[] = []
  const operations = await expectFlushed(path, 'making', async () => {
    stores.push(await WorkspaceStore.open(path, { create: true }))
  })
  expect(operations.some((operation) => operation.kind === 'fsync-folder' && operation.path === folder.path)).toBe(true)
  // The store has its name only when it is whole.
  const kinds = operations.filter((operation) => operation.path === join(path, 'store.duckdb')).map(({ kind }) => kind)
  expect(kinds[0]).toBe('link')
  for (const store of stores) {
    await expectFlushed(path, 'a model', () => store.saveArtifact({ content: Buffer.from('model') }))
    await store.close()
  }
})

test('a new workspace several folders deep is flushed up to the folder that was there', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'made', 'on', 'the way')
  const flushed = new Set<string>()
  setFaultHook((operation) => void (operation.kind === 'fsync-folder' && flushed.add(operation.path)))
  const store = await WorkspaceStore.open(path, { create: true })
  setFaultHook(undefined)
  await store.close()
  expect([...flushed].sort()).toEqual([folder.path, join(folder.path, 'made'), join(folder.path, 'made', 'on'), path])
})

test('a new workspace whose making was stopped at any operation can be made again, and nothing of the first try stays', async () => {
  await using folder = await temporaryFolder()
  const make = async (path: string) => (await WorkspaceStore.open(path, { create: true })).close()
  const { stops } = await withFault('count', 0, () => make(join(folder.path, 'whole')))
  expect(stops.length).toBeGreaterThan(5)
  for (const n of stops) {
    const path = join(folder.path, `stopped-${n}`)
    await withFault('stop', n, () => make(path))
    await forgetLock(path)
    await make(path)
    expect(await readdir(path), `stopped before ${n}`).toEqual(['store.duckdb'])
  }
})
