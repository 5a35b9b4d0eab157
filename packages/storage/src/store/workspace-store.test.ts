import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { holdStore } from '../testing/hold-store.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { beginRun } from './begin-run.ts'
import { listRuns } from './read-lineage.ts'
import { openWriting } from './store-session.ts'
import { arraysOf, beginLineage, type Lineage, predictedOf, predictionOf, withStore } from './testing/store-fixture.ts'
import { WorkspaceStore } from './workspace-store.ts'

test('test_workspace_store_odd_input: a model step that is none, and a project without a name, are refused', () =>
  withStore(async (store) => {
    const { pipeline } = await beginLineage(store)
    const step = { step_idx: 2, operator_class: 'Ridge', params: {}, artifact_ids: [], stateless: false }
    const chain = { pipeline_id: pipeline, steps: [step], model_class: 'Ridge' }
    for (const [steps, model_step_idx] of [
      [[step], 1],
      [[step], 0],
      [[], 1],
    ] as const) {
      const refused = { code: 'validation', message: expect.stringMatching(/step_idx.*Nothing was changed/) }
      await expect(store.saveChain({ ...chain, steps, model_step_idx })).rejects.toMatchObject(refused)
    }
    await store.saveChain({ ...chain, model_step_idx: 2 })
    for (const name of ['', '  \t'])
      await expect(store.createProject({ name })).rejects.toMatchObject({ code: 'validation', message: expect.stringContaining('name') })
    expect(await store.listProjects()).toEqual([])
  }))

test('test_workspace_store_flush_batch: a batch is one array file and one transaction; what is refused leaves everything as it was', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    for (let fold = 0; fold < 50; fold++) store.bufferPrediction(predictionOf(lineage, { fold_id: String(fold) }), arraysOf(fold, fold))
    expect(await store.queryPredictions()).toEqual([])
    const ids = await store.flush()
    expect(new Set(ids).size).toBe(50)
    expect(await readdir(join(path, 'arrays'))).toEqual(['wheat.parquet'])
    expect(await predictedOf(store, ids[7] ?? '')).toEqual([7, 7])
    store.bufferPrediction(predictionOf(lineage, { fold_id: '99' }), arraysOf(1, 1))
    store.bufferPrediction(predictionOf(lineage, { pipeline_id: 'nobody' }), arraysOf(2, 2))
    const unfit = /nobody, which one of the 2 predictions to be saved \(model "PLS", fold "0", val\) names\. Nothing was changed/
    await expect(store.flush()).rejects.toMatchObject({
      code: 'pipeline_not_found',
      message: expect.stringMatching(unfit),
      fields: { hint: expect.stringContaining('stays in the buffer') },
    })
    expect([store.bufferedCount, (await store.queryPredictions()).length]).toEqual([2, 50])
    store.discardBuffer()
    await expect(store.savePrediction(predictionOf(lineage, { fold_id: 'x', prediction_id: ids[0] }))).rejects.toThrow(/another prediction/)
  }))

test('test_workspace_store_foreign_rule: rows that the store does not take leave everything as it was, and the store goes on', async () => {
  await using scratch = await temporaryFolder()
  const path = join(scratch.path, 'w')
  await using store = await WorkspaceStore.open(path, { create: true })
  const lineage = await beginLineage(store)
  const id = await store.savePrediction(predictionOf(lineage), arraysOf(1, 1))
  await store.close()
  // Of another program: no two predictions may have the same score, and no two models the same number of chains.
  await withEngine({}, async (engine) => {
    await attachWritable(engine, join(path, 'store.duckdb'), 'ruled')
    await engine.run('CREATE UNIQUE INDEX rule ON ruled.main.predictions(val_score)')
    await engine.run('CREATE UNIQUE INDEX other_rule ON ruled.main.artifacts(ref_count)')
    await detach(engine, 'ruled')
  })
  await using ruled = await WorkspaceStore.open(path)
  const before = await ruled.queryPredictions()
  ruled.bufferPrediction(predictionOf(lineage, { val_score: 2 }), arraysOf(2, 2))
  ruled.bufferPrediction(predictionOf(lineage, { fold_id: '1', val_score: 2 }))
  await expect(ruled.flush()).rejects.toThrow(/Constraint/)
  ruled.discardBuffer()
  expect([await ruled.queryPredictions(), await predictedOf(ruled, id)]).toEqual([before, [1, 1]])
  await ruled.savePrediction(predictionOf(lineage, { fold_id: '1', val_score: 3 }))
  expect(await ruled.queryPredictions()).toHaveLength(2)
  const saveChain = (chain_id: string, fold_0: string) =>
    ruled.saveChain({
      chain_id,
      pipeline_id: lineage.pipeline,
      steps: [{ step_idx: 1 }],
      model_step_idx: 1,
      model_class: 'Ridge',
      fold_artifacts: { fold_0 },
    })
  const often = await ruled.saveArtifact({ content: Buffer.from('often') })
  for (const chain of ['a', 'b']) await saveChain(chain, often)
  const once = await ruled.saveArtifact({ content: Buffer.from('once') })
  await saveChain('c', once)
  await expect(saveChain('d', once)).rejects.toThrow(/Constraint/)
  expect(await ruled.getChain('d')).toBeNull()
})

test('test_workspace_store_upsert: the natural key keeps its id, also without a branch; arrays are replaced, stay with their result, and go with another', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    const other = await store.savePrediction(predictionOf(lineage, { fold_id: 'other' }), arraysOf(8, 9))
    const id = await store.savePrediction(predictionOf(lineage), arraysOf(1, 2))
    const scored = predictionOf(lineage, { val_score: Number.NaN })
    expect(await store.savePrediction(scored, arraysOf(3, 4))).toBe(id)
    expect(await store.savePrediction({ ...scored, best_params: { n: 3 }, n_samples: null })).toBe(id)
    expect(await predictedOf(store, id)).toEqual([3, 4])
    expect((await store.queryPredictions({ fold_id: '0' }))[0]).toMatchObject({
      val_score: Number.NaN,
      best_params: { n: 3 },
      n_samples: 2,
    })
    expect(await store.savePrediction(predictionOf(lineage, { val_score: 5, prediction_id: id }))).toBe(id)
    expect([await predictedOf(store, id), await predictedOf(store, other)]).toEqual([null, [8, 9]])
    await store.apply(await store.plan({ kind: 'compact' }))
    expect(await predictedOf(store, id)).toBe(null)
    expect(await store.savePrediction(predictionOf(lineage, { fold_id: 'other', metric: 'r2' }))).toBe(other)
    expect(await readdir(join(path, 'arrays'))).toEqual([])
    store.bufferPrediction(predictionOf(lineage, { fold_id: 'b' }), arraysOf(5, 6))
    store.bufferPrediction(predictionOf(lineage, { fold_id: 'b', preprocessings: 'SNV' }))
    store.bufferPrediction(predictionOf(lineage, { fold_id: 'c' }), arraysOf(5, 6))
    store.bufferPrediction(predictionOf(lineage, { fold_id: 'c', test_score: 1 }))
    const [, b, , c] = await store.flush()
    expect([await predictedOf(store, b ?? ''), await predictedOf(store, c ?? '')]).toEqual([[5, 6], null])
    expect(await store.savePrediction(predictionOf(lineage, { branch_id: 0 }))).not.toBe(id)
  }))

test('test_workspace_store_reused_list: a prediction is saved with what its lists held when it was given', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    const y_pred = new Float64Array(2)
    const given = { y_true: [1, 2], y_pred: { values: y_pred.subarray(0), nulls: null }, extra: { later: [0] } }
    for (const fold of [5, 6]) {
      y_pred.fill(fold)
      given.extra.later[0] = fold
      store.bufferPrediction(predictionOf(lineage, { fold_id: String(fold) }), given)
    }
    given.y_true.pop()
    const ids = await store.flush()
    expect(await Promise.all(ids.map((id) => predictedOf(store, id)))).toEqual([
      [5, 5],
      [6, 6],
    ])
    const later: unknown[] = []
    for await (const rows of store.arrays.loadDataset('wheat')) later.push(...rows.map(({ extra }) => extra))
    expect(later).toMatchObject([{ later: { values: new Float64Array([5]) } }, { later: { values: new Float64Array([6]) } }])
  }))

test('test_workspace_store_other_scores: arrays go with a result that differs in its scores alone, stored or buffered', () =>
  withStore(async (store) => {
    const scored = (lineage: Lineage, rmse: number, more: object = {}) =>
      predictionOf(lineage, { val_score: null, scores: { val: { rmse, r2: Number.NaN } }, ...more })
    const lineage = await beginLineage(store)
    const id = await store.savePrediction(scored(lineage, 1), arraysOf(1, 2))
    await store.savePrediction(scored(lineage, 1, { scores: { val: { r2: Number.NaN, rmse: 1 } }, preprocessings: 'MSC' }))
    await store.savePrediction(scored(lineage, 1, { scores: null }))
    expect(await predictedOf(store, id)).toEqual([1, 2])
    await store.savePrediction(scored(lineage, 1), arraysOf(1, 2))
    await store.savePrediction(scored(lineage, 9))
    expect([await predictedOf(store, id), (await store.getPrediction(id))?.n_samples]).toEqual([null, null])
    for (const rmse of [1, 9]) store.bufferPrediction(scored(lineage, rmse, { fold_id: '1' }), rmse === 1 ? arraysOf(1, 2) : undefined)
    const [buffered = ''] = await store.flush()
    expect(await predictedOf(store, buffered)).toBe(null)
  }))

test('test_workspace_store_wrong_ids: what is no text is refused in a sentence', () =>
  withStore(async (store) => {
    for (const read of ['loadArtifact', 'getRunLogs', 'getPipelineLogs']) {
      const given: unknown = Reflect.apply(Reflect.get(store, read), store, [1n])
      await expect(given).rejects.toMatchObject({ code: 'validation', message: expect.stringMatching(/_id: expected string/) })
    }
  }))

test('test_workspace_store_without_arrays: a prediction saved without arrays counts as one that never had any, not as one that lost them', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    await store.savePrediction(predictionOf(lineage))
    const plan = await store.plan({ kind: 'clean_dead_links', grace_hours: 0 })
    expect(plan.report).toMatchObject({ metadata_orphans_removed: 0, never_had_arrays: 1 })
    await store.close()
    expect((await verifyWorkspace(path, { depth: 'quick' })).findings.map(({ code }) => code)).toEqual(['predictions_without_arrays'])
  }))

test('test_workspace_store_other_dataset: a prediction of another dataset never replaces one; buffered or stored, nothing is changed', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    const refused = {
      code: 'validation',
      message: expect.stringMatching(/"wheat".*"rye".*Nothing was changed/),
      fields: { hint: expect.stringContaining('pipeline') },
    }
    store.bufferPrediction(predictionOf(lineage), arraysOf(1, 1))
    store.bufferPrediction(predictionOf(lineage, { dataset_name: 'rye' }), arraysOf(2, 2))
    await expect(store.flush()).rejects.toMatchObject(refused)
    expect([store.bufferedCount, await store.queryPredictions(), (await readdir(path)).includes('arrays')]).toEqual([2, [], false])
    store.discardBuffer()
    const id = await store.savePrediction(predictionOf(lineage), arraysOf(1, 1))
    const saved = [await store.queryPredictions(), await hashTree(join(path, 'arrays'))]
    await expect(store.savePrediction(predictionOf(lineage, { dataset_name: 'rye' }), arraysOf(2, 2))).rejects.toMatchObject(refused)
    await expect(store.savePrediction(predictionOf(lineage, { dataset_name: 'rye', prediction_id: id }))).rejects.toMatchObject(refused)
    expect([await store.queryPredictions(), await hashTree(join(path, 'arrays'))]).toEqual(saved)
    const rye = await beginLineage(store, 'rye')
    expect(await store.savePrediction(predictionOf(rye, { dataset_name: 'rye' }), arraysOf(2, 2))).not.toBe(id)
    expect(await predictedOf(store, id)).toEqual([1, 1])
  }))

test('test_workspace_store_odd_arrays: misspelt arrays and those of different lengths are refused; a loaded row is saved as it is', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    const misspelt = Object.assign(arraysOf(1, 2), { y_tru: [1] })
    for (const [arrays, message] of [
      [misspelt, /"y_tru".*Nothing was changed/],
      [Object.assign(arraysOf(1, 2), { Y_PROBA: [1] }), /"Y_PROBA"/],
      [{ y_true: [1, 2, 3], y_pred: Float64Array.of(1) }, /3 values and y_pred 1/],
    ] as const) {
      const refused = { code: 'validation', message: expect.stringMatching(message) }
      await expect(store.savePrediction(predictionOf(lineage), arrays)).rejects.toMatchObject(refused)
      expect(() => store.bufferPrediction(predictionOf(lineage), arrays)).toThrow(expect.objectContaining(refused))
    }
    expect([store.bufferedCount, await store.queryPredictions(), (await readdir(path)).includes('arrays')]).toEqual([0, [], false])
    // Two targets one after the other.
    const id = await store.savePrediction(predictionOf(lineage), { y_true: [1, 2, 3, 4], y_pred: [1, 2, 3, 4], sample_indices: [0, 1] })
    const loaded = await store.loadArrays(id)
    const copy = await store.savePrediction(predictionOf(lineage, { fold_id: '1' }), loaded ?? undefined)
    expect(await predictedOf(store, copy)).toEqual([1, 2, 3, 4])
    expect(await store.savePrediction(predictionOf(lineage, { fold_id: '2', n_samples: 1 }), { y_pred: [1] })).not.toBe(id)
  }))

test('test_workspace_store_closed: a store that is closed takes nothing into its buffer, and may be closed again', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    await store.close()
    expect(() => store.bufferPrediction(predictionOf(lineage))).toThrow(/was closed\. Nothing was changed/)
    expect(store.bufferedCount).toBe(0)
    await store.close()
  }))

test('test_workspace_store_close_fails: what could not be saved stays, with store and lock, until it is or is given up', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    store.bufferPrediction(predictionOf({ ...lineage, pipeline: 'none' }))
    for (let attempt = 0; attempt < 2; attempt++) await expect(store.close()).rejects.toMatchObject({ code: 'pipeline_not_found' })
    expect(store.bufferedCount).toBe(1)
    await expect(WorkspaceStore.open(path)).rejects.toMatchObject({ code: 'store_locked' })
    store.discardBuffer()
    store.bufferPrediction(predictionOf(lineage))
    await Promise.all([store.close(), store.close()])
    const unsaved = async () => {
      await using other = await WorkspaceStore.open(path)
      other.bufferPrediction(predictionOf({ ...lineage, pipeline: 'none' }))
    }
    await expect(unsaved()).rejects.toMatchObject({ code: 'pipeline_not_found' })
    await using again = await WorkspaceStore.open(path)
    expect(await again.queryPredictions()).toHaveLength(1)
  }))

test('test_workspace_store_replaced: a store that another program has turned into a store.sqlite meanwhile is not made anew', async () => {
  await using scratch = await temporaryFolder()
  const root = join(scratch.path, 'w')
  const session = await openWriting(root, true)
  try {
    await session.aside(async () => {
      await rename(join(root, 'store.duckdb'), join(root, 'store.duckdb.bak'))
      await writeFile(join(root, 'store.sqlite'), '')
    })
    await expect(session.read((engine) => listRuns(engine))).rejects.toMatchObject({ code: 'not_migrated' })
    expect(await readdir(root)).not.toContain('store.duckdb')
  } finally {
    await session.close()
  }
})

test('test_workspace_store_other_reader: who opens the store while a job works on it hides no result; later calls wait for it', async () => {
  await using scratch = await temporaryFolder()
  const session = await openWriting(join(scratch.path, 'w'), true)
  const others: Awaited<ReturnType<typeof holdStore>>[] = []
  const hold = async () => others.push(await holdStore(join(scratch.path, 'w', 'store.duckdb')))
  const letGo = async () => {
    for (const other of others.splice(0)) await other?.[Symbol.asyncDispose]()
  }
  try {
    expect(await session.aside(hold)).toBe(1)
    const later = session.write((engine) => beginRun(engine, { name: 'Later' }))
    await letGo()
    expect(await session.read((engine) => listRuns(engine))).toMatchObject([{ run_id: await later }])
  } finally {
    await letGo()
    await session.close()
  }
})

test('test_workspace_store_samples: n_samples comes from the arrays when it is not given, and is refused when they do not fit it', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    const refused = { code: 'validation', message: expect.stringMatching(/2 values.*7.*Nothing was changed/) }
    await expect(store.savePrediction(predictionOf(lineage, { n_samples: 7 }), arraysOf(1, 2))).rejects.toMatchObject(refused)
    expect([await store.queryPredictions(), (await readdir(path)).includes('arrays')]).toEqual([[], false])
    const twoTargets = { y_true: [1, 2, 3, 4], y_pred: [1, 2, 3, 4], sample_indices: [0, 1] }
    for (const [fold_id, n_samples, arrays, expected] of [
      ['a', undefined, arraysOf(1, 2), 2],
      ['b', null, { y_pred: [1, 2, 3] }, 3],
      ['c', 0, twoTargets, 2],
      ['d', undefined, { weights: [1] }, null],
      ['e', 2, twoTargets, 2],
    ] as const) {
      const id = await store.savePrediction(predictionOf(lineage, { fold_id, n_samples }), arrays)
      expect(await store.getPrediction(id)).toMatchObject({ n_samples: expected })
      expect(await store.loadArrays(id)).not.toBeNull()
    }
    await store.close()
    expect((await verifyWorkspace(path, { depth: 'deep' })).passed).toBe(true)
  }))

test('test_workspace_store_foreign_arrays: arrays that do not fit the number of samples are not given out', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    const id = await store.savePrediction(predictionOf(lineage), arraysOf(1, 2))
    await rewriteParquet(join(path, 'arrays', 'wheat.parquet'), '* REPLACE ([1.0, 2, 3] AS y_true, [1.0, 2, 3] AS y_pred)')
    await expect(store.loadArrays(id)).rejects.toMatchObject({ code: 'arrays_corrupt', fields: { ids: [id] } })
  }))

test('test_workspace_store_json_numbers: NaN and infinities in JSON columns come back as the numbers that they were', () =>
  withStore(async (store) => {
    const odd = { best: Number.NaN, all: [Number.POSITIVE_INFINITY, { low: Number.NEGATIVE_INFINITY }], word: 'NaN' }
    const run = await store.beginRun({ name: 'Odd', datasets: [{ name: 'wheat' }], config: odd })
    const pipeline = await store.beginPipeline({ run_id: run, name: 'p', dataset_name: 'wheat', expanded_config: [odd] })
    await store.logStep({ pipeline_id: pipeline, step_idx: 1, event: 'end', details: odd })
    await store.completePipeline(pipeline)
    await store.completeRun(run, odd)
    expect(await store.getRun(run)).toMatchObject({ config: odd, summary: odd })
    expect((await store.getPipeline(pipeline))?.expanded_config).toEqual([odd])
    expect((await store.getPipelineLogs(pipeline)).map(({ details }) => details)).toEqual([odd])
  }))

test('test_workspace_store_foreign_chain: a chain of another pipeline is named with its pipeline, not as absent', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    const other = await store.beginPipeline({ run_id: lineage.run, name: 'p2', dataset_name: 'wheat' })
    await expect(store.savePrediction(predictionOf({ ...lineage, pipeline: other }))).rejects.toMatchObject({
      code: 'validation',
      fields: { ids: [lineage.chain] },
      message: expect.stringContaining(`${lineage.chain} belongs to the pipeline ${lineage.pipeline}`),
    })
  }))

test('test_workspace_store_top_predictions: by the direction of the metric, what is not finite last, refits and twins not among them', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    const scores = [0.3, Number.NaN, 0.9, null, Number.NEGATIVE_INFINITY, -0.1]
    for (const metric of ['rmse', 'r2', 'bias']) {
      scores.forEach((val_score, fold) => {
        store.bufferPrediction(predictionOf(lineage, { fold_id: `${fold}`, model_name: metric, metric, val_score }))
      })
      store.bufferPrediction(
        predictionOf(lineage, { fold_id: 'final', model_name: metric, metric, val_score: 0, refit_context: 'standalone' }),
      )
    }
    await store.flush()
    const best = async (metric: string, n?: number) => (await store.topPredictions({ metric, n })).map(({ val_score }) => val_score)
    expect((await best('r2')).slice(0, 3)).toEqual([0.9, 0.3, -0.1])
    expect((await best('rmse')).slice(0, 3)).toEqual([-0.1, 0.3, 0.9])
    expect(await best('bias', 2)).toEqual([-0.1, 0.3])
    expect(await best('r2')).toHaveLength(6)
    const given = { metric: 'r2', refit: undefined, aggregated: undefined, partition: undefined, by: undefined }
    expect(await store.topPredictions(given)).toEqual(await store.topPredictions({ metric: 'r2' }))
    await expect(store.topPredictions()).rejects.toThrow(/several metrics/)
    expect(await store.topPredictions({ metric: 'r2', n: 1, group_by: 'model_name' })).toHaveLength(1)
  }))

test('test_workspace_store_artifacts: the same bytes are kept once; references are counted from the chains; damage is told', () =>
  withStore(async (store, path) => {
    const { pipeline } = await beginLineage(store)
    const content = Buffer.from('model')
    const id = await store.saveArtifact({ content, artifact_type: 'model' })
    expect(await store.saveArtifact({ content })).toBe(id)
    const chain = {
      pipeline_id: pipeline,
      steps: [{ step_idx: 1 }],
      model_step_idx: 1,
      model_class: 'Ridge',
      fold_artifacts: { fold_0: id, fold_1: id },
    }
    const saved = await store.saveChain(chain)
    await store.saveChain({ ...chain, shared_artifacts: { 1: [id] } })
    expect(await store.listArtifacts()).toMatchObject([{ artifact_id: id, references: 2 }])
    await store.deleteChain(saved)
    expect(await store.listArtifacts()).toMatchObject([{ references: 1 }])
    expect(Buffer.from(await store.loadArtifact(id))).toEqual(content)
    const [file] = (await readdir(join(path, 'artifacts'), { recursive: true })).filter((name) => name.endsWith('.joblib'))
    await writeFile(join(path, 'artifacts', file ?? ''), 'MODEL')
    await expect(store.loadArtifact(id)).rejects.toMatchObject({ code: 'artifact_corrupt' })
    expect(await store.saveArtifact({ content })).toBe(id)
    expect(Buffer.from(await store.loadArtifact(id))).toEqual(content)
    await expect(store.saveChain({ ...chain, fold_artifacts: { fold_0: 'nobody' } })).rejects.toMatchObject({ code: 'artifact_missing' })
    const spare = await store.saveArtifact({ content: Buffer.from('spare') })
    const preview = await store.plan({ kind: 'artifact_gc', grace_hours: 0 })
    expect(preview.items.filter(({ what }) => what === 'row').map((item) => item.id)).toEqual([spare])
    await store.apply(preview)
    await expect(store.loadArtifact(spare)).rejects.toMatchObject({ code: 'artifact_missing' })
    expect(await readdir(join(path, 'artifacts'), { recursive: true })).toHaveLength(2)
  }))

test('test_workspace_store_cascade: deleting a run goes to the trash with all that belongs to it; another run stays', () =>
  withStore(async (store) => {
    const [first, second] = [await beginLineage(store), await beginLineage(store)]
    const id = await store.savePrediction(predictionOf(first), arraysOf(1, 1))
    const kept = await store.savePrediction(predictionOf(second), arraysOf(2, 2))
    await store.logStep({ pipeline_id: first.pipeline, step_idx: 1, event: 'fit', details: { rows: 3 } })
    expect(await store.getRunLogs(first.run)).toMatchObject([{ event: 'fit', details: { rows: 3 } }])
    expect((await store.deleteRun(first.run)).counts).toMatchObject({ runs: 1, pipelines: 1, chains: 1, predictions: 1, logs: 1 })
    expect([await store.getRun(first.run), await predictedOf(store, id)]).toEqual([null, null])
    expect(await predictedOf(store, kept)).toEqual([2, 2])
  }))

test('test_workspace_store_projects: runs with pipelines can be linked, and a deleted project leaves its runs', () =>
  withStore(async (store) => {
    const { run } = await beginLineage(store)
    const project = await store.createProject({ name: 'Grain' })
    await expect(store.createProject({ name: 'Grain' })).rejects.toThrow(/already/)
    const before = await store.getProject(project)
    expect(before).toMatchObject({ name: 'Grain', description: '', color: '#14b8a6' })
    expect(await store.getProject('none')).toBeNull()
    await store.setRunProject(run, project)
    await store.createProject({ name: 'Milk' })
    await store.changeProject(project, { name: 'Grain 2026', description: 'Protein' })
    expect(await store.getProject(project)).toMatchObject({ name: 'Grain 2026', description: 'Protein', color: '#14b8a6' })
    expect((await store.getProject(project))?.updated_at ?? '').not.toBe(before?.updated_at)
    await store.changeProject(project, { name: 'Grain 2026', color: '#ff0000' })
    for (const name of ['Milk', ' ']) await expect(store.changeProject(project, { name })).rejects.toMatchObject({ code: 'validation' })
    await expect(store.changeProject('none', { color: '#ff0000' })).rejects.toMatchObject({ code: 'validation' })
    expect(await store.getProject(project)).toMatchObject({ name: 'Grain 2026', description: 'Protein', color: '#ff0000' })
    expect(await store.listRuns({ project_id: project })).toMatchObject([{ run_id: run }])
    const child = await store.beginRun({ name: 'Again', lineage: { parent_run: run }, project_id: project })
    expect(await store.runLineage(child)).toMatchObject({ parent_run: run, ancestors: [run] })
    expect((await store.runLineage(run)).children).toEqual([child])
    await store.deleteProject(project)
    expect(await store.getRun(run)).toMatchObject({ project_id: null })
  }))

test('test_workspace_store_close: can be repeated, saves what is buffered, and nothing works after it', async () => {
  await using scratch = await temporaryFolder()
  const store = await WorkspaceStore.open(join(scratch.path, 'w'), { create: true })
  const lineage = await beginLineage(store)
  await expect(WorkspaceStore.open(store.root)).rejects.toMatchObject({ code: 'store_locked' })
  store.bufferPrediction(predictionOf(lineage))
  await store.close()
  await store.close()
  await expect(store.listRuns()).rejects.toThrow(/closed/)
  await using reader = await WorkspaceStore.open(store.root, { mode: 'read' })
  expect(await reader.queryPredictions()).toHaveLength(1)
  await expect(reader.beginRun({ name: 'x' })).rejects.toMatchObject({ code: 'read_only' })
})

test.each(['0.7.0', '0.7.1'] as const)(
  'test_workspace_store_legacy %s: is read, and refused for writing without a byte changed',
  async (release) => {
    await using scratch = await temporaryFolder()
    await makeStore(join(scratch.path, 'store.duckdb'), {
      release,
      predictions: [
        { id: 'a', score: 2 },
        { id: 'b', fold: '1', score: 1 },
        { id: 'none', fold: '2', score: 3, y: null },
        { id: 'foreign', fold: '3', score: 4, samples: 2 },
      ],
    })
    const before = await hashTree(scratch.path)
    await expect(WorkspaceStore.open(scratch.path)).rejects.toMatchObject({ code: 'not_migrated' })
    await using reader = await WorkspaceStore.open(scratch.path, { mode: 'read' })
    expect((await reader.topPredictions()).map(({ prediction_id }) => prediction_id)).toEqual(['b', 'a', 'none', 'foreign'])
    expect(await reader.listProjects()).toEqual([])
    expect(await Promise.all([predictedOf(reader, 'a'), predictedOf(reader, 'none'), predictedOf(reader, 'nobody')])).toEqual([
      [1, 2, 3],
      null,
      null,
    ])
    await expect(reader.loadArrays('foreign')).rejects.toMatchObject({ code: 'arrays_corrupt', fields: { path: 'store.duckdb' } })
    expect(() => reader.arrays).toThrow(/inside the store/)
    expect(await hashTree(scratch.path)).toEqual(before)
    await mkdir(join(scratch.path, 'arrays'))
    await makeParquet(join(scratch.path, 'arrays', 'wheat.parquet'), [{ id: 'b', y: [7, 8, 9] }])
    expect([await predictedOf(reader, 'a'), await predictedOf(reader, 'b')]).toEqual([
      [1, 2, 3],
      [7, 8, 9],
    ])
  },
)

test('test_workspace_store_interop: the catalog and a deep check read what was written', async () => {
  await using scratch = await temporaryFolder()
  const path = join(scratch.path, 'w')
  {
    await using store = await WorkspaceStore.open(path, { create: true })
    const lineage = await beginLineage(store)
    for (const fold_id of ['0', '1', 'avg']) store.bufferPrediction(predictionOf(lineage, { fold_id }), arraysOf(1, 2))
    await store.flush()
    await store.savePrediction(predictionOf(lineage), arraysOf(3, 4))
    await store.apply(await store.plan({ kind: 'compact' }))
  }
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: true, findings: [] })
  const catalog = await openCatalog(await buildCatalog(await resolveWorkspace(path), { cacheFolder: join(scratch.path, 'cache') }))
  try {
    const rows = await catalog.engine.connection.runAndReadAll('SELECT fold_id, has_arrays FROM predictions ORDER BY fold_id')
    expect(rows.getRowsJS()).toEqual([
      ['0', true],
      ['1', true],
      ['avg', true],
    ])
  } finally {
    catalog.close()
  }
})
