import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { filesOf } from '../testing/fault-oracle.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import {
  copyWorkspace,
  expectedWorkspace,
  hasSharedWorkspaces,
  type SharedWorkspaceName,
  sharedWorkspaceNames,
  type WorkspaceCopy,
} from '../testing/shared-workspaces.ts'
import { mergeStores } from './merge-stores.ts'
import { planMerge } from './plan-merge.ts'
import { queryStore, snapshotOf } from './testing/merge-fixture.ts'

const Expected = z.record(z.string(), z.looseObject({ arraysSha256EmptyAsNull: z.string() }))

describe.skipIf(!hasSharedWorkspaces())('workspaces written by nirs4all, merged into an empty target', () => {
  // Nothing writes into the sources: they and their catalogs serve all tests.
  const sources = new Map<SharedWorkspaceName, WorkspaceCopy>()
  let cache: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    cache = await temporaryFolder()
    for (const name of sharedWorkspaceNames) sources.set(name, await copyWorkspace(name))
  })
  afterAll(async () => {
    for (const source of sources.values()) await source.remove()
    await cache[Symbol.asyncDispose]()
  })
  const sourceOf = (name: SharedWorkspaceName): string => {
    const source = sources.get(name)
    if (source === undefined) throw new Error(`There is no copy of ${name}`)
    return source.path
  }

  test.each(sharedWorkspaceNames)(
    'test_merge_stores: %s: every row, model and array is kept; merged again with skip nothing changes',
    async (name) => {
      await using folder = await temporaryFolder()
      const cacheFolder = cache.path
      const source = sourceOf(name)
      const target = join(folder.path, 'target')
      const before = await hashTree(source)
      const plan = await planMerge(target, [source], { create: true, cacheFolder })
      expect(existsSync(target)).toBe(false)
      const report = await mergeStores(target, [source], { create: true, cacheFolder, jobId: 'first', planId: plan.plan_id })
      expect(await hashTree(source)).toBe(before)
      expect({ sources: report.sources, rows: report.rows, datasets: report.datasets_merged }).toEqual({
        sources: plan.sources,
        rows: plan.rows,
        datasets: plan.datasets_merged,
      })

      const [from, to] = [await snapshotOf(source, cacheFolder), await snapshotOf(target, cacheFolder)]
      expect(to.tables).toEqual(from.tables)
      const expected = expectedWorkspace(name)
      for (const table of ['runs', 'pipelines', 'chains', 'predictions', 'artifacts', 'logs']) {
        expect(to.tables[table]?.rows, table).toBe(expected.tables[table])
      }
      const digests = Object.entries(Expected.parse(expected.datasets)).map(([dataset, { arraysSha256EmptyAsNull }]) => [
        dataset,
        arraysSha256EmptyAsNull,
      ])
      expect(to.arrays).toEqual(Object.fromEntries(digests))
      expect(await modelsOf(target)).toEqual(await modelsOf(source))

      const merged = await filesOf(target)
      const again = await mergeStores(target, [source], { cacheFolder, jobId: 'second', onConflict: 'skip' })
      expect(again).toMatchObject({
        record_path: null,
        array_rows: 0,
        sources: [{ predictions_merged: 0, skipped: 0, already_there: plan.sources[0]?.predictions_read }],
      })
      expect(await filesOf(target)).toEqual(merged)
    },
  )

  test('test_merge_stores: results of later releases come along, once', async () => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'target')
    const cacheFolder = cache.path
    const source = sourceOf('sqlite-0.11')
    await mergeStores(target, [source], { create: true, cacheFolder, jobId: 'results', datasets: ['grain_protein'] })
    await mergeStores(target, [source], { cacheFolder, jobId: 'all', onConflict: 'skip' })
    const [counts] = await queryStore(
      target,
      'SELECT (SELECT count(*) FROM tuning_results) AS tuning, (SELECT count(*) FROM conformal_results) AS conformal',
    )
    expect(counts).toEqual({ tuning: 1, conformal: 1 })
    expect(await mergeStores(target, [source], { cacheFolder, jobId: 'again', onConflict: 'skip' })).toMatchObject({
      record_path: null,
    })
  })

  test('test_merge_stores: three copies of one workspace, of three generations, are one workspace', async () => {
    await using folder = await temporaryFolder()
    const cacheFolder = cache.path
    const target = join(folder.path, 'target')
    const copies = [sourceOf('legacy-0.7.1'), sourceOf('damaged-lost-arrays'), sourceOf('mid-migration')]
    const report = await mergeStores(target, copies, { create: true, cacheFolder, jobId: 'three' })
    expect(report.sources.map((source) => source.predictions_merged)).toEqual([529, 0, 0])
    expect((await snapshotOf(target, cacheFolder)).tables).toEqual((await snapshotOf(sourceOf('legacy-0.7.1'), cacheFolder)).tables)
  })

  test('test_merge_stores: all of them, with conflicts: every prediction has its arrays, nothing is left over', async () => {
    await using folder = await temporaryFolder()
    const cacheFolder = cache.path
    const all = sharedWorkspaceNames.map(sourceOf)
    for (const onConflict of ['keep_best', 'keep_all'] as const) {
      const target = join(folder.path, onConflict)
      const report = await mergeStores(target, all, { create: true, cacheFolder, jobId: 'all', onConflict })
      const { predictions } = await snapshotOf(target, cacheFolder)
      expect(predictions.length).toBe(report.sources.reduce((sum, source) => sum + source.predictions_merged, 0))
      expect(predictions.filter((row) => !row.hasArrays)).toEqual([])
      expect(report.array_rows).toBe(predictions.length)
      const merged = await filesOf(target)
      await mergeStores(target, all, { cacheFolder, jobId: 'again', onConflict: onConflict === 'keep_all' ? 'keep_all' : 'skip' })
      expect(await filesOf(target)).toEqual(merged)
    }
  })
})

const modelsOf = async (path: string): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(await filesOf(path)).filter(([name]) => name.startsWith('artifacts/') && !name.endsWith('/')))
