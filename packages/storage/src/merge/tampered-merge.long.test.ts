import { existsSync } from 'node:fs'
import { appendFile, cp, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { damageUnseen, writeWithPolars } from '../array-store/testing/foreign-damage.ts'
import { withEngine } from '../engine/open-engine.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import type { Scratch } from '../testing/fault-oracle.ts'
import { makeStore } from '../testing/make-store.ts'
import { changeInLog, changeStore, rewriteParquet, tamperBefore } from '../testing/tamper.ts'
import { mergeStores } from './merge-stores.ts'
import { leftoversIn, mergeBeside, mergeFixture, stateOf } from './testing/merge-faults.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await mergeFixture()
})
afterAll(() => scratch[Symbol.asyncDispose]())
afterEach(() => setFaultHook(undefined))

const later = (path: string): Promise<void> => utimes(path, new Date(), new Date())
const isFlushed = (name: RegExp) => (operation: DiskOperation) => operation.kind === 'fsync' && name.test(operation.path)
const isPrepared = ({ kind, path }: DiskOperation) => kind === 'fsync-folder' && /merges\/[^/]+$/.test(path)
const isOpened = ({ kind, path }: DiskOperation) => kind === 'engine-write' && path.endsWith('store.duckdb')
const wheat = (root: string) => join(root, 'arrays', 'wheat.parquet')

const cases: Record<
  string,
  {
    code: string
    hasLog: boolean
    isPlace: (operation: DiskOperation) => boolean
    change: (root: string) => (path: string) => Promise<void>
  }
> = {
  'a model that was not copied as it is': {
    code: 'verification_failed',
    hasLog: false,
    isPlace: isFlushed(/models\/\d+$/),
    change: () => (path) => appendFile(path, 'more'),
  },
  'rows that did not reach the trash': {
    code: 'verification_failed',
    hasLog: false,
    isPlace: isFlushed(/trash\/.*\/predictions\.parquet$/),
    change: () => (path) => rewriteParquet(path, '*', 'false'),
  },
  'a row that did not reach the trash as it was': {
    code: 'verification_failed',
    hasLog: false,
    isPlace: isFlushed(/trash\/.*\/predictions\.parquet$/),
    change: () => (path) => rewriteParquet(path, '* REPLACE (val_score + 1 AS val_score)'),
  },
  'a source that changes while it is read': {
    code: 'plan_stale',
    hasLog: false,
    isPlace: isFlushed(/trash\/.*\/predictions\.parquet$/),
    change: (root) => () => later(wheat(join(dirname(root), 'source'))),
  },
  'a target with a log that changes before it is opened': {
    code: 'plan_stale',
    hasLog: true,
    isPlace: isPrepared,
    change: (root) => () => changeInLog(join(root, 'store.duckdb'), "UPDATE runs SET error = 'newer'"),
  },
  'a target without a log that changes while it is opened': {
    code: 'plan_stale',
    hasLog: false,
    isPlace: isOpened,
    change: (root) => () => changeStore(join(root, 'store.duckdb'), "UPDATE runs SET error = 'newer'"),
  },
  'an array file that changes while a target with a log is opened': {
    code: 'plan_stale',
    hasLog: true,
    isPlace: isOpened,
    change: (root) => () => later(wheat(root)),
  },
}

test.each(Object.entries(cases))('%s stops a merge', async (_, { code, hasLog, isPlace, change }) => {
  const path = await scratch.copy('tampered')
  if (hasLog) await changeInLog(join(path, 'store.duckdb'), "UPDATE runs SET error = 'in the log'")
  const before = await stateOf(path)
  tamperBefore(isPlace, change(path))
  await expect(mergeBeside(path)).rejects.toMatchObject({ code })
  setFaultHook(undefined)
  const { runs: _before, ...rest } = before
  const { runs: _after, ...found } = await stateOf(path)
  expect(found).toEqual(rest)
  expect(await leftoversIn(path)).toEqual([])
})

/** A copy of the target in a folder of its own, and the path of the source beside it. */
const copyApart = async (name: string): Promise<{ target: string; source: string }> => {
  const target = await scratch.copy(join(name, 'target'))
  return { target, source: join(dirname(target), 'source') }
}

const copySource = (source: string): Promise<void> =>
  cp(join(scratch.path, 'source'), source, { recursive: true, preserveTimestamps: true })

const expectRefused = async (target: string, refusal: object): Promise<void> => {
  const before = await stateOf(target)
  await expect(mergeBeside(target)).rejects.toMatchObject(refusal)
  setFaultHook(undefined)
  expect(await stateOf(target)).toEqual(before)
  expect(await leftoversIn(target)).toEqual([])
}

test('rows that another program saves when an array file is about to be replaced stay, and the merge is taken back', async () => {
  const path = await scratch.copy('met')
  const isKept = ({ kind, path: to }: DiskOperation) => kind === 'link' && to.endsWith('/replaced/wheat.parquet')
  tamperBefore(isKept, () => rewriteParquet(wheat(path), '* REPLACE (99.0 AS val_score)'))
  const { predictions } = await stateOf(path)
  await expect(mergeBeside(path)).rejects.toMatchObject({ code: 'plan_stale' })
  setFaultHook(undefined)
  expect(await scoresIn(wheat(path))).toEqual([99])
  expect((await stateOf(path)).predictions).toEqual(predictions)
  expect(await leftoversIn(path)).toEqual([])
})

test('an array file that another program makes where a merge is about to put one stays', async () => {
  const path = await scratch.copy('made')
  const milk = join(path, 'arrays', 'milk.parquet')
  const isPlaced = ({ kind, path: to }: DiskOperation) => kind === 'link' && to === milk
  tamperBefore(isPlaced, () => writeFile(milk, 'of another program'))
  await expect(mergeBeside(path)).rejects.toMatchObject({ code: 'plan_stale' })
  setFaultHook(undefined)
  expect(await readFile(milk, 'utf8')).toBe('of another program')
  expect(await leftoversIn(path)).toEqual([])
})

const scoresIn = async (path: string): Promise<unknown> =>
  withEngine({}, async (engine) => {
    const rows = await engine.rows(z.object({ score: z.number() }), `SELECT DISTINCT val_score AS score FROM read_parquet('${path}')`)
    return rows.map(({ score }) => score)
  })

test('a workspace that another program makes where a merge is about to make one stays', async () => {
  const { target, source } = await copyApart('vacant')
  await rm(target, { recursive: true })
  await copySource(source)
  const merge = () => mergeStores(target, [source], { jobId: 'new', create: true, cacheFolder: join(scratch.path, 'cache') })
  const store = join(target, 'store.duckdb')
  const isMade = ({ kind, path }: DiskOperation) => kind === 'link' && path === store
  let theirs: Buffer | undefined
  tamperBefore(isMade, async () => {
    await makeStore(store, { release: '0.8.1', predictions: [{ id: 'theirs' }] })
    theirs = await readFile(store)
  })
  await expect(merge()).rejects.toMatchObject({ code: 'plan_stale' })
  setFaultHook(undefined)
  expect(theirs?.equals(await readFile(store))).toBe(true)
  await rm(target, { recursive: true })
  // The workspace is made under a lock of its own, which is given back before the merge takes it.
  const isLockedAgain = ({ kind, path }: DiskOperation) => kind === 'link' && path.endsWith('/lock') && existsSync(store)
  tamperBefore(isLockedAgain, () => changeStore(store, "INSERT INTO projects (project_id, name) VALUES ('theirs', 'theirs')"))
  await expect(merge()).rejects.toMatchObject({ code: 'plan_stale' })
})

test('arrays that go from a source before they are read are named, and nothing is merged without them', async () => {
  const { target, source } = await copyApart('gone')
  await copySource(source)
  const isStaging = ({ kind, path }: DiskOperation) => kind === 'mkdir' && path.endsWith('/models')
  tamperBefore(isStaging, () => rewriteParquet(wheat(source), '*', "prediction_id <> 's1'"))
  await expectRefused(target, { code: 'plan_stale', fields: { ids: ['s1'] } })
})

test('a source that holds the arrays of a prediction twice is refused: not both come under one name', async () => {
  const { target, source } = await copyApart('twice')
  await mkdir(source)
  const extra = [
    'CREATE TABLE unkeyed AS FROM prediction_arrays',
    'DROP TABLE prediction_arrays',
    'ALTER TABLE unkeyed RENAME TO prediction_arrays',
    'INSERT INTO prediction_arrays SELECT * REPLACE ([9.0] AS y_pred) FROM prediction_arrays',
  ]
  await makeStore(join(source, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'twice', fold: '9' }], extra })
  await expectRefused(target, { code: 'verification_failed' })
})

test('damage over which DuckDB reads in an array file of the target stops a merge before the file is written anew', async () => {
  const { target, source } = await copyApart('damaged')
  await copySource(source)
  writeWithPolars(wheat(target))
  await damageUnseen(wheat(target))
  await expectRefused(target, { code: 'arrays_corrupt', fields: { path: 'arrays/wheat.parquet' } })
})
