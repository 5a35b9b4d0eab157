import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

test('a copy of a chain that is there already takes what finds its place free in it; for the rest there is a further copy', async () => {
  await using folder = await temporaryFolder()
  const model = [
    "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/model.joblib', 'unknown')",
    `UPDATE chains SET fold_artifacts = '{"fold_0": "m"}'`,
  ]
  const make = (name: string, id: string, score: number) =>
    makeHybrid(join(folder.path, name), { predictions: [{ id, score, y: null, samples: null }], extra: model })
  const target = await make('to', 't', 1)
  const sources = [await make('one', 's', 2), await make('two', 'z', 2)]
  const merge = (from: readonly string[], jobId: string, into = target) =>
    mergeStores(into, from, { cacheFolder: join(folder.path, 'cache'), onConflict: 'keep_all', jobId })
  const chainsOf = () => queryStore(target, 'SELECT prediction_id AS id, chain_id AS chain FROM predictions ORDER BY id')
  const other = await make('other', 't', 1)
  expect(await merge(sources, 'both')).toMatchObject({ rows: { chains: 2 } })
  // Or nirs4all would remove the file with one of the runs.
  expect(await queryStore(target, 'SELECT ref_count FROM artifacts')).toEqual([{ ref_count: 3 }])
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
  // Nor where both chains have been there since.
  await changeStore(join(other, 'store.duckdb'), "DELETE FROM predictions WHERE prediction_id <> 't'")
  expect(await merge(sources.slice(0, 1), 'emptied', other)).toMatchObject({ rows: { chains: 0 }, sources: [{ predictions_merged: 2 }] })
  expect(await queryStore(other, 'SELECT count(DISTINCT chain_id)::INTEGER AS chains, count(*)::INTEGER AS n FROM predictions')).toEqual([
    { chains: 3, n: 3 },
  ])
})

test('a model that chains of two workspaces name has as many references as they are; one of a single workspace keeps what it had', async () => {
  await using folder = await temporaryFolder()
  const make = (name: string, dataset: string, folds: string, refs: readonly string[]) =>
    makeHybrid(join(folder.path, name), {
      predictions: [{ id: name, dataset, y: null, samples: null }],
      extra: [
        ...refs.map((row) => `INSERT INTO artifacts (artifact_id, artifact_path, content_hash, ref_count) VALUES (${row})`),
        `UPDATE chains SET fold_artifacts = '${folds}'`,
      ],
    })
  const target = await make('to', 'wheat', '{"fold_0": "shared"}', ["'shared', 'a', 'a', 1"])
  // The model of the target, and one that nirs4all has saved five times.
  const source = await make('from', 'soil', '{"fold_0": "shared", "fold_1": "often"}', [
    "'shared', 'a', 'sha256:a', 1",
    "'often', 'b', 'b', 5",
  ])
  await mergeStores(target, [source], { cacheFolder: join(folder.path, 'cache'), jobId: 'job' })
  expect(await queryStore(target, 'SELECT artifact_id AS id, ref_count AS n FROM artifacts ORDER BY id')).toEqual([
    { id: 'often', n: 5 },
    { id: 'shared', n: 2 },
  ])
})
