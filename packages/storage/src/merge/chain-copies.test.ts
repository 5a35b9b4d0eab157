import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

test('a copy of a chain that is there already takes what finds its place free in it; for the rest there is a further copy', async () => {
  await using folder = await temporaryFolder()
  const make = (name: string, id: string, score: number) =>
    makeHybrid(join(folder.path, name), { predictions: [{ id, score, y: null, samples: null }] })
  const target = await make('to', 't', 1)
  const sources = [await make('one', 's', 2), await make('two', 'z', 2)]
  const merge = (from: readonly string[], jobId: string, into = target) =>
    mergeStores(into, from, { cacheFolder: join(folder.path, 'cache'), onConflict: 'keep_all', jobId })
  const chainsOf = () => queryStore(target, 'SELECT prediction_id AS id, chain_id AS chain FROM predictions ORDER BY id')
  const other = await make('other', 't', 1)
  expect(await merge(sources, 'both')).toMatchObject({ rows: { chains: 2 } })
  const before = await chainsOf()
  expect(new Set(before.map(({ chain }) => chain)).size).toBe(3)
  // Their chains stay without predictions.
  await changeStore(join(target, 'store.duckdb'), "DELETE FROM predictions WHERE prediction_id <> 't'")
  expect(await merge(sources, 'again')).toMatchObject({ rows: { chains: 0 }, warnings: [] })
  expect(await chainsOf()).toEqual(before)
  // A source that holds a chain and its copy: what goes to a copy of the one does not meet the other.
  await merge(sources.slice(1), 'copied', sources[0])
  expect(await merge(sources.slice(0, 1), 'from_merged', other)).toMatchObject({
    rows: { chains: 2 },
    sources: [{ predictions_merged: 2 }],
  })
})
