import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { JobProgress, MergeStrategy } from '@nirs-workspace/types'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readTombstones } from '../arrays/tombstones.ts'
import { withEngine } from '../engine/open-engine.ts'
import { acquireWorkspaceLock } from '../files/workspace-lock.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { Predictions } from '../portable/predictions.ts'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { filesOf } from '../testing/fault-oracle.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { mergeStores } from './merge-stores.ts'
import { planMerge } from './plan-merge.ts'
import { renameIn } from './rewrite-references.ts'
import { type MadeForMerge, makeHybrid, queryStore, snapshotOf, type WorkspaceToMake } from './testing/merge-fixture.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let cacheFolder: string
beforeEach(async () => {
  folder = await temporaryFolder()
  cacheFolder = join(folder.path, 'cache')
})
afterEach(() => folder[Symbol.asyncDispose]())

const make = (name: string, workspace: WorkspaceToMake) => makeHybrid(join(folder.path, name), workspace)
const merge = (target: string, sources: readonly string[], options: object = {}) =>
  mergeStores(target, sources, { cacheFolder, jobId: 'job', ...options })
const idsOf = async (path: string) =>
  (await queryStore(path, 'SELECT prediction_id AS id FROM predictions ORDER BY id')).map((row) => String(row.id))
const ysOf = async (path: string, ids: readonly string[], cache = cacheFolder) => {
  await using predictions = await Predictions.open(path, { cacheFolder: cache })
  const arrays = await predictions.loadArrays(ids)
  return ids.map((id) => Array.from(arrays.get(id)?.y_pred?.values ?? []))
}
const yOf = async (path: string, id: string) => (await ysOf(path, [id]))[0] ?? []

describe('test_merge_stores', () => {
  test('two stores: the same prediction comes once, all have their arrays, sources stay to the byte', async () => {
    const a = await make('a', {
      predictions: [
        { id: 'a1', y: [1, 2] },
        { id: 'a2', fold: '1', y: [3] },
        { id: 's1', dataset: 'soil pH', y: [9] },
      ],
    })
    const b = await make('b', {
      predictions: [
        { id: 'a1', y: [1, 2] },
        { id: 'b3', fold: '2', y: [5, Number.NaN] },
        { id: 's2', dataset: 'soil_pH', y: [8] },
      ],
    })
    const before = [await hashTree(a), await hashTree(b)]
    const target = join(folder.path, 'target')
    const seen: JobProgress[] = []
    const report = await merge(target, [a, b], { create: true, onProgress: (progress: JobProgress) => seen.push(progress) })
    expect(seen.at(-1)).toMatchObject({ phase: 'done', fraction: 1, done_rows: 5, total_rows: 5 })
    expect(seen.map(({ fraction }) => fraction)).toEqual(seen.map(({ fraction }) => fraction).sort())
    expect(report.sources).toMatchObject([
      { path: a, predictions_read: 3, predictions_merged: 3, already_there: 0 },
      { path: b, predictions_read: 3, predictions_merged: 2, already_there: 1 },
    ])
    expect(report).toMatchObject({
      datasets_merged: ['soil pH', 'soil_pH', 'wheat'],
      conflicts_resolved: 0,
      array_rows: 5,
      errors: [],
      trash_operation: null,
    })
    expect([await hashTree(a), await hashTree(b)]).toEqual(before)
    const { predictions } = await snapshotOf(target, cacheFolder)
    expect(predictions.map((row) => [row.id, row.hasArrays])).toEqual(['a1', 'a2', 'b3', 's1', 's2'].map((id) => [id, true]))
    expect(await ysOf(target, ['b3', 's1', 's2'])).toEqual([[5, Number.NaN], [9], [8]])
    expect(
      Object.keys(await filesOf(target)).filter((name) => name.includes('staging') || name.includes('journal') || name.includes('lock')),
    ).toEqual([])
  })

  const both = (target: number, source: number, metric = 'rmse', [earlier, later] = ['2026-01-01', '2026-02-01']) => ({
    target: { predictions: [{ id: 't', score: target, metric, created: earlier, y: [1] }] },
    source: { predictions: [{ id: 's', score: source, metric, created: later, y: [2] }] },
  })
  const madeAt = (...times: [string, string]) => both(0.5, 0.6, 'rmse', times)
  const outcomes: [MergeStrategy, string, ReturnType<typeof both>, string[]][] = [
    ['keep_best', 'lower is better', both(0.9, 0.1), ['s']],
    ['keep_best', 'lower is better, the target is', both(0.1, 0.9), ['t']],
    ['keep_best', 'higher is better', both(0.1, 0.9, 'balanced_accuracy'), ['s']],
    ['keep_best', 'higher is better, the target is', both(0.9, 0.1, 'balanced_accuracy'), ['t']],
    ['keep_best', 'nearest zero', both(-0.5, 0.1, 'bias'), ['s']],
    ['keep_best', 'NaN is never better', both(0.9, Number.NaN), ['t']],
    ['keep_best', 'any number is better than NaN', both(Number.NaN, 0.9), ['s']],
    ['keep_best', 'infinity is no score', both(0.9, Number.NEGATIVE_INFINITY), ['t']],
    ['keep_best', 'a draw leaves the target', both(0.5, 0.5), ['t']],
    ['keep_best', 'a metric of unknown direction is not ranked by guess', both(0.1, 0.9, 'oddness'), ['s', 't']],
    ['keep_latest', 'the later one', both(0.1, 0.9), ['s']],
    ['keep_latest', 'UTC and a local time of the next day', madeAt('2026-01-01 10:00:00', '2026-01-02 10:00:00.5'), ['s', 't']],
    ['keep_latest', 'a local time and UTC of the next day', madeAt('2026-01-01 10:00:00.5', '2026-01-02 10:00:00'), ['s', 't']],
    ['keep_latest', 'UTC and a local time more than any zone later', madeAt('2026-01-01 10:00:00', '2026-01-02 12:00:00.5'), ['s']],
    ['keep_latest', 'a local time of long before', madeAt('2026-01-03 10:00:00', '2026-01-02 07:00:00.5'), ['t']],
    ['keep_latest', 'two local times', madeAt('2026-01-01 10:00:00.5', '2026-01-01 10:00:00.6'), ['s']],
    ['keep_all', 'both', both(0.1, 0.9), ['s', 't']],
    ['skip', 'the target', both(0.9, 0.1), ['t']],
  ]
  test('keep_latest goes on leaving out what it has left out, also when a time of another clock has come in between', async () => {
    const made = (name: string, created: string) => make(name, { predictions: [{ id: name, created, score: 0.5, y: [1] }] })
    const target = await made('clock-target', '2026-01-02 10:00:00.5')
    const [older, utc] = [await made('clock-older', '2026-01-02 09:00:00.5'), await made('clock-utc', '2026-01-02 10:30:00')]
    const skipped = async (source: string) =>
      (await merge(target, [source], { onConflict: 'keep_latest' })).sources.map((one) => one.skipped)
    expect(await skipped(older)).toEqual([1])
    expect(await skipped(utc)).toEqual([0])
    expect(await skipped(older)).toEqual([1])
    const later = await made('clock-later', '2026-01-02 11:00:00.5')
    expect(await skipped(later)).toEqual([0])
    expect((await snapshotOf(target, cacheFolder)).predictions.map(({ id }) => id)).toEqual(['clock-later', 'clock-target', 'clock-utc'])
  })

  const withoutScore = { score: null, dataset: 'partitions' }
  const partitions = {
    target: [
      { id: 't-val', score: 0.9, dataset: 'partitions', y: [1] },
      { id: 't-train', partition: 'train', ...withoutScore, y: [2] },
      { id: 't-test', partition: 'test', ...withoutScore, y: [3] },
    ],
    source: [
      { id: 's-val', score: 0.1, dataset: 'partitions', y: [4] },
      { id: 's-train', partition: 'train', ...withoutScore, y: [5] },
    ],
  }
  /** Every case is a dataset of its own in one merge by each strategy. */
  const casesOf = (side: 'target' | 'source'): MadeForMerge[] => [
    ...outcomes.flatMap(([, about, one]) => one[side].predictions.map((row) => ({ ...row, id: `${row.id}: ${about}`, dataset: about }))),
    ...partitions[side],
  ]
  const mergeCases = async (to: string, from: string, onConflict: MergeStrategy) => {
    const options = { cacheFolder: join(dirname(from), 'cache'), onConflict }
    const plan = await planMerge(to, [from], options)
    const report = await merge(to, [from], { ...options, planId: plan.plan_id })
    const { predictions } = await snapshotOf(to, options.cacheFolder)
    const ids = predictions.map((row) => row.id)
    const ys = await ysOf(to, ids, options.cacheFolder)
    const files = await filesOf(to)
    await merge(to, [from], { ...options, jobId: 'again' })
    return { plan, report, predictions, ys: new Map(ids.map((id, index) => [id, ys[index]])), files, again: await filesOf(to) }
  }
  const merged = new Map<string, Awaited<ReturnType<typeof mergeCases>>>()
  beforeAll(async () => {
    await using made = await temporaryFolder()
    const to = await makeHybrid(join(made.path, 'to'), { predictions: casesOf('target') })
    const from = await makeHybrid(join(made.path, 'from'), { predictions: casesOf('source') })
    for (const strategy of ['keep_best', 'keep_latest', 'keep_all', 'skip'] as const) {
      const target = join(made.path, strategy)
      await cp(to, target, { recursive: true, preserveTimestamps: true })
      merged.set(strategy, await mergeCases(target, from, strategy))
    }
  })
  const casesBy = (strategy: MergeStrategy, dataset: string) => {
    const all = merged.get(strategy)
    if (all === undefined) throw new Error(`Nothing was merged by ${strategy}`)
    return {
      ...all,
      conflicts: all.plan.conflicts.filter((conflict) => conflict.dataset_name === dataset),
      ids: all.predictions.filter((row) => row.dataset === dataset).map((row) => row.id),
    }
  }

  test.each(outcomes)('%s: %s', (onConflict, about, _, expected) => {
    const { plan, conflicts, report, ids, ys, files, again } = casesBy(onConflict, about)
    expect(conflicts).toMatchObject([{ source_ids: [`s: ${about}`], target_ids: [`t: ${about}`], dataset_name: about, partition: 'val' }])
    // Two of them are the partitions that both sides have.
    expect(report).toMatchObject({ conflicts_resolved: outcomes.length + 2, sources: plan.sources })
    expect(ids).toEqual(expected.map((id) => `${id}: ${about}`))
    for (const id of ids) expect(ys.get(id)).toEqual(id === `t: ${about}` ? [1] : [2])
    expect(again).toEqual(files)
    expect(plan.warnings.filter((text) => text.includes('local time')).map((text) => text.match(/\d+/)?.[0])).toEqual(
      onConflict === 'keep_latest' ? ['2'] : [],
    )
    expect(report.warnings).toEqual(plan.warnings)
  })

  test.each([
    ['keep_best', ['s-train', 's-val']],
    ['skip', ['t-test', 't-train', 't-val']],
  ] as const)(
    '%s: the partitions of one model and fold give way or stay together, whichever of them have no score',
    (onConflict, expected) => {
      const { conflicts, ids } = casesBy(onConflict, 'partitions')
      expect(new Set(conflicts.map(({ decision }) => decision)).size).toBe(1)
      expect(ids).toEqual(expected)
    },
  )

  test('what gives way goes to the trash, rows and arrays, its arrays are marked as removed, and all of it can be restored in the place of what came', async () => {
    const { target, source } = both(0.9, 0.1)
    const [to, from] = [await make('to', target), await make('from', source)]
    const { trash_operation, sources } = await merge(to, [from])
    expect(sources).toMatchObject([{ replaced: 1, predictions_merged: 1 }])
    const files = await filesOf(to)
    const inTrash = Object.keys(files).filter((name) => name.startsWith(`.nirs-workspace/trash/${trash_operation}/`) && !name.endsWith('/'))
    expect(inTrash.map((name) => name.split('/').slice(3).join('/'))).toEqual([
      'arrays/0.parquet',
      'chains.parquet',
      'contents.json',
      'figures.json',
      'manifest.json',
      'pipelines.parquet',
      'predictions.parquet',
      'runs.parquet',
    ])
    expect([...(await readTombstones(join(to, 'arrays'))).keys()]).toEqual(['t'])

    await applyPlan(to, await makePlan(to, { kind: 'remove_predictions', prediction_ids: ['s'] }), { jobId: 'remove' })
    const restored = await restoreTrash(to, trash_operation ?? '', { jobId: 'back' })
    expect(restored).toMatchObject({ operation_id: trash_operation, counts: { predictions: 1 } })
    expect(await idsOf(to)).toEqual(['t'])
    expect(await yOf(to, 't')).toEqual([1])
    expect([...(await readTombstones(join(to, 'arrays'))).keys()]).toEqual(['s'])
  })

  test('what a later source replaces does not come: no row, no lineage, no arrays, nothing in the trash; what had no predictions does', async () => {
    const renamed = (name: string) => [
      `UPDATE runs SET name = '${name}'`,
      "INSERT INTO runs (run_id, name, status, created_at) VALUES ('failed-' || (SELECT name FROM runs), 'Failed', 'failed', '2026-01-01')",
    ]
    const a = await make('a', { predictions: [{ id: 'a', score: 0.5, created: '2026-01-01', y: [1] }] })
    const b = await make('b', { predictions: [{ id: 'b', score: 0.4, created: '2026-02-01', y: [2] }], extra: renamed('B') })
    const c = await make('c', { predictions: [{ id: 'c', score: 0.6, created: '2026-03-01', y: [3] }], extra: renamed('C') })
    const plan = await planMerge(a, [b, c], { cacheFolder, onConflict: 'keep_latest' })
    expect(plan.conflicts).toMatchObject([
      { source: b, decision: 'later_source', source_ids: ['b'], target_ids: ['a'] },
      { source: c, decision: 'take_source', source_ids: ['c'], target_ids: ['a', 'b'] },
    ])
    const report = await merge(a, [b, c], { onConflict: 'keep_latest', planId: plan.plan_id })
    expect(report).toMatchObject({
      sources: [
        { predictions_merged: 0, skipped: 1, replaced: 0 },
        { predictions_merged: 1, skipped: 0, replaced: 1 },
      ],
      array_rows: 1,
    })
    expect(await idsOf(a)).toEqual(['c'])
    const names = await queryStore(a, 'SELECT name FROM runs ORDER BY name, run_id')
    expect(names.map((row) => row.name)).toEqual(['C', 'Failed', 'Failed', 'Morning screen'])
    expect(await queryStore(a, 'SELECT count(*)::INTEGER AS n FROM chains')).toEqual([{ n: 2 }])
    expect(await readTombstones(join(a, 'arrays'))).toEqual(new Map([['a', expect.any(String)]]))
  })

  test('a chain that loses or gets predictions, or comes with some of its own, has the figures of those that it has; a restore gives the old ones back', async () => {
    const figures = (value: number, folds: number) => [`UPDATE chains SET cv_val_score = ${value}, cv_fold_count = ${folds}`]
    const a = await make('a', {
      predictions: [
        { id: 'a0', score: 0.4, y: [1] },
        { id: 'a1', fold: '1', score: 0.8, y: [2] },
      ],
      extra: figures(0.6, 2),
    })
    const b = await make('b', {
      predictions: [
        { id: 'b0', score: 0.6, y: [3] },
        { id: 'b1', fold: '1', score: 0.2, y: [4] },
      ],
      extra: [...figures(0.4, 2), "UPDATE runs SET name = 'B'"],
    })
    const chains = (path: string) =>
      queryStore(
        path,
        `SELECT cv_val_score AS val, cv_fold_count AS folds, (SELECT string_agg(prediction_id, ' ' ORDER BY 1) FROM predictions p WHERE p.chain_id = c.chain_id) AS ids
         FROM chains c ORDER BY ids`,
      )
    const before = await chains(a)
    const report = await merge(a, [b])
    expect(await chains(a)).toEqual([
      { val: 0.4, folds: 1, ids: 'a0' },
      { val: 0.2, folds: 1, ids: 'b1' },
    ])
    await restoreTrash(a, report.trash_operation ?? '', { jobId: 'restore' })
    expect(await chains(a)).toEqual([...before, { val: 0.2, folds: 1, ids: 'b1' }])
  })

  test('a merge leaves a record of what it did where its report says, and no draft of it', async () => {
    const [to, from] = [await make('to', { predictions: [{ id: 't' }] }), await make('from', { predictions: [{ id: 's', fold: '1' }] })]
    const { duration_seconds: _, ...report } = await merge(to, [from])
    const record = join(to, '.nirs-workspace', 'merges', 'job.json')
    expect(report).toMatchObject({ record_path: record, sources: [{ path: from, predictions_merged: 1 }] })
    // It is written before the end: how long all of it took is not known there.
    const head = { format: 'nirs-workspace/merge/1', created_at: expect.any(String) }
    expect(JSON.parse(await readFile(record, 'utf8'))).toEqual({ ...head, ...report })
    expect(await readdir(dirname(record))).toEqual(['job.json'])
  })

  test('only the chosen datasets come, with what belongs to them', async () => {
    const from = await make('from', {
      predictions: [{ id: 'w' }, { id: 's', dataset: 'soil' }],
      extra: ["INSERT INTO runs (run_id, name) VALUES ('empty', 'Nothing came of it')"],
    })
    const target = join(folder.path, 'target')
    const report = await merge(target, [from], { create: true, datasets: ['soil'] })
    expect(report).toMatchObject({ datasets_merged: ['soil'], rows: { runs: 1, pipelines: 1, chains: 1 } })
    expect(await idsOf(target)).toEqual(['s'])
    await expect(merge(target, [from], { datasets: ['nothing'] })).rejects.toMatchObject({ code: 'dataset_not_found' })
    expect(await merge(target, [from], { jobId: 'rest' })).toMatchObject({
      datasets_merged: ['wheat'],
      rows: { runs: 1, pipelines: 1, chains: 1 },
    })
    expect(await queryStore(target, "SELECT name FROM runs WHERE run_id = 'empty'")).toEqual([{ name: 'Nothing came of it' }])
  })

  test('ids that the target uses for something else get others, the same every time; models follow', async () => {
    const model = (id: string, hash: string) =>
      `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', 'aa/model.joblib', '${hash.repeat(64)}')`
    const chain = `UPDATE chains SET fold_artifacts = '{"fold_0": "m:0", "x": NaN}', steps = '[{"artifact_ids": ["m:0"], "operator_class": "m:0 "}]'`
    const to = await make('to', { predictions: [{ id: 'p', y: [1] }], extra: [model('m:0', 'a'), chain] })
    const from = await make('from', {
      predictions: [{ id: 'p', model: 'Other', score: 3, y: [2] }],
      extra: [model('m:0', 'b'), chain, "UPDATE runs SET name = 'Evening screen'"],
    })
    await mkdir(join(to, 'artifacts', 'aa'), { recursive: true })
    await mkdir(join(from, 'artifacts', 'aa'), { recursive: true })
    await writeFile(join(to, 'artifacts', 'aa', 'model.joblib'), 'one')
    await writeFile(join(from, 'artifacts', 'aa', 'model.joblib'), 'two')
    const report = await merge(to, [from])
    // Run, pipeline, chain, model and prediction.
    expect(report).toMatchObject({ remapped: 5, artifact_files: 1 })
    const predictions = await queryStore(
      to,
      'SELECT prediction_id AS id, model_name AS model, chain_id AS chain FROM predictions ORDER BY model_name',
    )
    expect(predictions).toMatchObject([{ model: 'Other' }, { model: 'PLS', id: 'p', chain: 'c-wheat' }])
    expect(await yOf(to, 'p')).toEqual([1])
    expect(await yOf(to, String(predictions[0]?.id))).toEqual([2])
    const [artifact] = await queryStore(to, "SELECT artifact_id AS id, artifact_path AS path FROM artifacts WHERE artifact_id <> 'm:0'")
    const [copied] = await queryStore(to, `SELECT fold_artifacts AS folds, steps FROM chains WHERE chain_id <> 'c-wheat'`)
    expect(copied).toEqual({
      folds: `{"fold_0": "${artifact?.id}", "x": NaN}`,
      steps: `[{"artifact_ids": ["${artifact?.id}"], "operator_class": "m:0 "}]`,
    })
    expect((await filesOf(to))[`artifacts/${artifact?.path}`]).toBe((await filesOf(from))['artifacts/aa/model.joblib'])
    const merged = await filesOf(to)
    expect(await merge(to, [from], { jobId: 'again', onConflict: 'skip' })).toMatchObject({ record_path: null })
    expect(await filesOf(to)).toEqual(merged)
  })

  describe('the lineage of runs', () => {
    const lineage = (parent: string | null, derived: string | null) =>
      `{"z": 1.10, "parent_run": "run-1", "big": 123456789012345678901234567890, "x": NaN, "lineage": {"modifications": ["PRED"], "derived_from_result": ${JSON.stringify(derived)},"parent_run":  ${JSON.stringify(parent)}}, "a": "PRED"}`
    /** A run, and one that was made from it and from its prediction PRED. */
    const family = (name: string, child = 'child') => [
      `UPDATE runs SET name = 'Parent ${name}'`,
      `INSERT INTO runs (run_id, name, status, created_at, config) VALUES ('${child}', 'Child ${name}', 'completed', '2026-01-02', '${lineage('run-1', 'PRED')}')`,
    ]
    const childrenOf = (path: string) =>
      queryStore(
        path,
        `SELECT c.name, c.config::VARCHAR AS config, p.run_id AS parent, p.name AS "parentName", d.prediction_id AS derived, d.model_name AS model
         FROM runs c LEFT JOIN runs p ON p.run_id = (c.config->'lineage'->>'parent_run')
         LEFT JOIN predictions d ON d.prediction_id = (c.config->'lineage'->>'derived_from_result') WHERE c.config IS NOT NULL ORDER BY c.name`,
      )

    test.each(['DuckDB', 'SQLite'])(
      'has the ids of the target, and no other character of a config changes; merged again nothing does (%s)',
      async (kind) => {
        const na = await make('na', { predictions: [{ id: 'PRED' }], extra: family('A') })
        const nb = await make('nb', { predictions: [{ id: 'PRED', model: 'Other' }], extra: family('B', 'own') })
        if (kind === 'SQLite') for (const path of [na, nb]) await convertStore(path)
        const nt = join(folder.path, 'nt')
        expect((await merge(nt, [na, nb], { create: true })).warnings).toEqual([])
        const [a, b] = await childrenOf(nt)
        expect(a).toMatchObject({ config: lineage('run-1', 'PRED'), parentName: 'Parent A', model: 'PLS' })
        expect(b).toMatchObject({ config: lineage(String(b?.parent), String(b?.derived)), parentName: 'Parent B', model: 'Other' })
        const merged = await filesOf(nt)
        for (const onConflict of ['skip', 'keep_all'])
          expect(await merge(nt, [na, nb], { jobId: onConflict, onConflict })).toMatchObject({ record_path: null, warnings: [] })
        expect(await filesOf(nt)).toEqual(merged)
      },
    )

    test('that leads to nothing that comes stays, unless the target uses its id for something else: then it goes, and a warning names the run', async () => {
      const na = await make('na', { predictions: [{ id: 'PRED' }] })
      const nb = await make('nb', { predictions: [{ id: 'PRED', score: 9 }], extra: family('B') })
      const nc = await make('nc', { predictions: [{ id: 'other', dataset: 'soil' }], extra: family('C', 'own') })
      const report = await merge(na, [nb], { onConflict: 'skip' })
      expect(report.warnings).toEqual([expect.stringContaining('Child B (child)')])
      expect(await childrenOf(na)).toMatchObject([{ config: lineage(null, null), parent: null, derived: null }])
      const nt = join(folder.path, 'nt')
      expect((await merge(nt, [nc], { create: true })).warnings).toEqual([])
      expect(await childrenOf(nt)).toMatchObject([{ config: lineage('run-1', 'PRED'), parentName: 'Parent C', derived: null }])
      expect(await merge(na, [nb], { onConflict: 'skip', jobId: 'again' })).toMatchObject({ record_path: null, warnings: [] })
    })

    test('finds predictions of datasets that were not chosen where the target has them already', async () => {
      const pipeline = "INSERT INTO pipelines (pipeline_id, run_id, name, dataset_name) VALUES ('p-child', 'child', 'screen', 'soil')"
      const na = await make('na', { predictions: [{ id: 'PRED', model: 'Other' }] })
      const nb = await make('nb', { predictions: [{ id: 'PRED' }, { id: 's', dataset: 'soil' }], extra: [...family('B'), pipeline] })
      await merge(na, [nb], { datasets: ['wheat'] })
      expect((await merge(na, [nb], { datasets: ['soil'], jobId: 'rest' })).warnings).toEqual([])
      expect(await childrenOf(na)).toMatchObject([{ parentName: 'Parent B', model: 'PLS' }])
    })
  })

  describe('a prediction saved again with the same scores and other arrays', () => {
    const workspace = (y: readonly number[], day: string, release: '0.7.1' | '0.8.1' = '0.8.1') => ({
      release,
      predictions: [
        { id: 'p', y, created: `2026-01-0${day}` },
        { id: 'q', fold: '1', y: [4, Number.NaN], created: '2026-01-01' },
      ],
    })
    const y1 = [1, 2, 0]
    const y2 = [1, 2, -0]

    test('is a conflict: both come with keep_all, also of three sources, once, and with a table of arrays', async () => {
      const x1 = await make('x1', workspace(y1, '1'))
      const x2 = await make('x2', workspace(y2, '2'))
      const x3 = join(folder.path, 'x3')
      await mkdir(x3)
      const { predictions, release } = workspace([7, 8, 9], '3', '0.7.1')
      const times = ['runs', 'pipelines', 'chains'].map((table) => `UPDATE ${table} SET created_at = '2026-01-01'`)
      await makeStore(join(x3, 'store.duckdb'), { release, predictions, extra: times })
      const xt = join(folder.path, 'xt')
      const plan = await planMerge(xt, [x1, x2, x3], { create: true, onConflict: 'keep_all', cacheFolder })
      expect(plan.conflicts).toMatchObject([
        { source: x2, decision: 'keep_both', source_ids: ['p'], target_ids: ['p'] },
        { source: x3, decision: 'keep_both', source_ids: ['p'] },
      ])
      const report = await merge(xt, [x1, x2, x3], { create: true, onConflict: 'keep_all', planId: plan.plan_id })
      expect(report.sources).toMatchObject([
        { predictions_merged: 2 },
        { predictions_merged: 1, already_there: 1 },
        { predictions_merged: 1, already_there: 1 },
      ])
      const ids = await idsOf(xt)
      const values = await ysOf(
        xt,
        ids.filter((id) => id !== 'q'),
      )
      expect(new Set(values.map(String))).toEqual(new Set(['1,2,0', '7,8,9']))
      expect(values.filter((value) => Object.is(value[2], -0))).toHaveLength(1)
      expect(values).toHaveLength(3)
      const merged = await filesOf(xt)
      for (const onConflict of ['keep_all', 'skip'])
        expect(await merge(xt, [x1, x2, x3], { onConflict, jobId: onConflict })).toMatchObject({ record_path: null, conflicts_resolved: 0 })
      // Merged with what it was made of it is the same again.
      const again = join(folder.path, 'again')
      expect((await merge(again, [x1, x2, xt], { create: true, onConflict: 'keep_all' })).sources[2]).toMatchObject({ already_there: 3 })
      expect(await filesOf(xt)).toEqual(merged)
    })

    test.each([
      ['keep_best', y1],
      ['skip', y1],
      ['keep_latest', y2],
    ])('%s decides, and the conflict is listed', async (onConflict, expected) => {
      const x1 = await make('x1', workspace(y1, '1'))
      const x2 = await make('x2', workspace(y2, '2'))
      const report = await merge(x1, [x2], { onConflict })
      expect(report).toMatchObject({ conflicts_resolved: 1, sources: [{ already_there: 1 }] })
      const ids = (await idsOf(x1)).filter((id) => id !== 'q')
      expect(ids).toHaveLength(1)
      expect(Object.is((await yOf(x1, String(ids[0])))[2], expected[2])).toBe(true)
      const merged = await filesOf(x1)
      for (const strategy of new Set(['skip', onConflict]))
        expect(await merge(x1, [x2], { onConflict: strategy, jobId: strategy + onConflict })).toMatchObject({ record_path: null })
      expect(await filesOf(x1)).toEqual(merged)
    })

    test('is none where only the bits of NaN differ, or a list is empty in one and missing in the other', async () => {
      const x1 = await make('x1', {
        predictions: [
          { id: 'p', y: [1, Number.NaN] },
          { id: 'e', fold: '1', y: [] },
        ],
      })
      const x2 = await make('x2', {
        predictions: [
          { id: 'p', y: [1, Number.NaN] },
          { id: 'e', fold: '1', y: [] },
        ],
      })
      await withEngine({}, (engine) =>
        engine.run(`COPY (SELECT * REPLACE (list_transform(y_pred, lambda v: CASE WHEN isnan(v) THEN -v ELSE v END) AS y_pred,
          CASE WHEN len(y_true) = 0 THEN NULL ELSE y_true END AS y_true) FROM '${join(x1, 'arrays', 'wheat.parquet')}') TO '${join(x2, 'arrays', 'wheat.parquet')}'`),
      )
      expect(await merge(x1, [x2], { onConflict: 'keep_all' })).toMatchObject({ record_path: null, sources: [{ already_there: 2 }] })
    })
  })

  test('projects of one name are one project', async () => {
    const project = (id: string) => [`INSERT INTO projects (project_id, name) VALUES ('${id}', 'Cereals')`]
    const to = await make('to', { extra: project('one') })
    const from = await make('from', { predictions: [{ id: 'p' }], extra: project('two') })
    // The library links a project before a run has pipelines; here a run without any.
    const linked = await make('linked', {
      extra: [...project('three'), "INSERT INTO runs (run_id, name, project_id) VALUES ('r', 'Linked', 'three')"],
    })
    await merge(to, [from, linked])
    expect(await queryStore(to, 'SELECT project_id FROM projects')).toEqual([{ project_id: 'one' }])
    expect(await queryStore(to, "SELECT project_id FROM runs WHERE run_id = 'r'")).toEqual([{ project_id: 'one' }])
  })

  test('arrays that the target has lost come back', async () => {
    const predictions = [
      { id: 'p', y: [1, 2] },
      { id: 'q', fold: '1', y: [3] },
    ]
    const [to, from] = [await make('to', { predictions }), await make('from', { predictions })]
    await rm(join(to, 'arrays'), { recursive: true })
    expect(await merge(to, [from])).toMatchObject({
      array_rows: 2,
      sources: [{ already_there: 2, arrays_added: 2, predictions_merged: 0 }],
    })
    expect(await yOf(to, 'p')).toEqual([1, 2])
  })

  test('a second prediction of a chain, fold and partition comes under a copy of the chain: nirs4all would delete it', async () => {
    const prediction = (id: string, score: number) => ({ predictions: [{ id, score, y: [score] }] })
    const [to, from] = [await make('to', prediction('t', 1)), await make('from', prediction('s', 2))]
    expect(await merge(to, [from], { onConflict: 'keep_all' })).toMatchObject({
      rows: { runs: 0, pipelines: 0, chains: 1 },
      warnings: [expect.stringContaining('copies')],
    })
    expect(await queryStore(to, 'SELECT count(DISTINCT chain_id)::INTEGER AS n FROM predictions')).toEqual([{ n: 2 }])
    expect(await merge(to, [from], { onConflict: 'keep_all', jobId: 'again' })).toMatchObject({ record_path: null })
  })

  test('a lone Parquet file comes with parents made for it, once', async () => {
    const file = join(folder.path, 'wheat.parquet')
    await makeParquet(file, [
      { id: 'x', y: [7] },
      { id: 'y', dataset: 'soil', y: null },
    ])
    const to = await make('to', { predictions: [{ id: 'p' }] })
    expect(await merge(to, [file])).toMatchObject({ sources: [{ predictions_merged: 2 }], rows: { runs: 1, pipelines: 2, chains: 0 } })
    expect(await yOf(to, 'x')).toEqual([7])
    expect(await merge(to, [file], { jobId: 'again' })).toMatchObject({ record_path: null })
  })

  test('columns of later releases come along', async () => {
    const from = await make('from', {
      predictions: [{ id: 'p' }],
      extra: [
        'ALTER TABLE pipelines ADD COLUMN original_template VARCHAR',
        'UPDATE pipelines SET original_template = \'["SNV"]\'',
        'ALTER TABLE predictions ADD COLUMN prediction_level VARCHAR',
      ],
    })
    const target = join(folder.path, 'target')
    await merge(target, [from], { create: true })
    expect(await queryStore(target, 'SELECT original_template AS t FROM pipelines')).toEqual([{ t: '["SNV"]' }])
    // A column without a single value is not worth changing a table for.
    expect(await queryStore(target, "SELECT count(*) AS n FROM duckdb_columns() WHERE column_name = 'prediction_level'")).toEqual([
      { n: 0 },
    ])
  })
})

describe('a merge is refused, and nothing is changed', () => {
  test('a stale plan, the target as its own source, a legacy target, a busy workspace, damage', async () => {
    const [to, from] = [await make('to', { predictions: [{ id: 't' }] }), await make('from', { predictions: [{ id: 's', fold: '1' }] })]
    const legacy = join(folder.path, 'legacy')
    await mkdir(legacy)
    await makeStore(join(legacy, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'l' }] })
    const before = [await filesOf(to), await filesOf(legacy)]
    await expect(merge(to, [from], { planId: 'another' })).rejects.toMatchObject({ code: 'plan_stale' })
    await expect(merge(to, [to])).rejects.toMatchObject({ code: 'validation' })
    await expect(merge(to, [from, from])).rejects.toMatchObject({ code: 'validation' })
    await expect(merge(to, [])).rejects.toMatchObject({ code: 'validation' })
    await expect(merge(legacy, [from])).rejects.toMatchObject({ code: 'not_migrated' })
    await expect(merge(join(folder.path, 'nowhere'), [from])).rejects.toMatchObject({ code: 'workspace_not_found' })
    await expect(merge(to, [join(folder.path, 'nowhere')])).rejects.toMatchObject({ code: 'workspace_not_found' })
    await expect(merge(to, [from], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
    const lock = await acquireWorkspaceLock(to, { jobId: 'other', kind: 'test' })
    await expect(merge(to, [from])).rejects.toMatchObject({ code: 'workspace_busy' })
    await lock.release()
    expect([await filesOf(to), await filesOf(legacy)]).toEqual(before)
    await writeFile(join(from, 'arrays', 'wheat.parquet'), 'damaged')
    await expect(merge(to, [from])).rejects.toMatchObject({ code: 'arrays_corrupt' })
    expect(await filesOf(to)).toEqual(before[0])
    // The preview says what the merge would say.
    await expect(planMerge(to, [from], { cacheFolder })).rejects.toMatchObject({ code: 'arrays_corrupt' })
    await rm(join(from, 'arrays', 'wheat.parquet'))
    for (const refused of [() => planMerge(to, [from], { cacheFolder }), () => merge(to, [from])]) {
      await expect(refused()).rejects.toMatchObject({ code: 'arrays_missing', message: expect.stringContaining('"wheat"') })
    }
    expect(await filesOf(to)).toEqual(before[0])
    await writeFile(join(to, 'arrays', '_tombstones.json'), 'damaged')
    await expect(merge(to, [legacy])).rejects.toMatchObject({ code: 'tombstones_corrupt' })
  })
})

test('ids are exchanged only as whole strings of the JSON, whatever else stands there', () => {
  const ids = new Map([
    ['é:0', 'new'],
    ['__proto__', 'p'],
  ])
  expect(renameIn('{"a": "\\u00e9:0", "b": ["é:0", "é:0x", "__proto__"], "n": NaN, "q": "\\"é:0\\""}', ids)).toBe(
    '{"a": "new", "b": ["new", "é:0x", "p"], "n": NaN, "q": "\\"é:0\\""}',
  )
  expect(renameIn('no "json" "broken \\', ids)).toBe('no "json" "broken \\')
})
