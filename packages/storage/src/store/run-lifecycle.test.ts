import { expect, test } from 'vitest'
import { beginLineage, predictionOf, withStore } from './testing/store-fixture.ts'

test('test_workspace_store_run_lifecycle: a run and a pipeline move along the table of states; other moves are refused', () =>
  withStore(async (store) => {
    const { run, pipeline } = await beginLineage(store)
    await expect(store.changeRun(run, 'cancel')).rejects.toMatchObject({ code: 'invalid_transition' })
    expect(await store.changeRun(run, 'pause')).toBe('paused')
    expect(await store.changeRun(run, 'resume')).toBe('running')
    expect(await store.failRun(run, 'The detector was cold')).toBe('failed')
    expect(await store.getRun(run)).toMatchObject({ status: 'failed', error: 'The detector was cold' })
    expect(await store.changeRun(run, 'retry')).toBe('queued')
    expect(await store.getRun(run)).toMatchObject({ status: 'queued', error: null, completed_at: null })
    await store.changeRun(run, 'start')
    await store.completePipeline(pipeline, { best_val: 0.25, metric: 'rmse', duration_ms: 12 })
    await store.completeRun(run, { best_score: 0.1 })
    await expect(store.completeRun(run)).rejects.toMatchObject({ code: 'invalid_transition' })
    expect(await store.getRun(run)).toMatchObject({ status: 'completed', summary: { best_score: 0.1 } })
    expect(await store.getPipeline(pipeline)).toMatchObject({ status: 'completed', best_val: 0.25, metric: 'rmse' })
    await expect(store.completeRun('nobody')).rejects.toMatchObject({ code: 'run_not_found' })
  }))

test('test_workspace_store_run_and_pipelines: a run ends after its pipelines, and takes no new ones then', () =>
  withStore(async (store) => {
    const { run, pipeline } = await beginLineage(store)
    const another = { run_id: run, name: 'another', dataset_name: 'wheat' }
    const queued = await store.beginPipeline({ ...another, status: 'queued' })
    for (const [id, event] of [
      [pipeline, 'complete'],
      [queued, 'cancel'],
    ] as const) {
      await expect(store.completeRun(run)).rejects.toMatchObject({
        code: 'invalid_transition',
        message: expect.stringMatching(/pipeline.* not ended.*Nothing was changed/),
      })
      await store.changePipeline(id, event)
    }
    await store.completeRun(run)
    await expect(store.beginPipeline(another)).rejects.toMatchObject({
      code: 'invalid_transition',
      message: expect.stringMatching(/is completed.*Nothing was changed/),
      fields: { hint: expect.stringContaining('begin a new one') },
    })
    const failed = await store.beginRun({ name: 'failed' })
    await store.failRun(failed, 'cold')
    await expect(store.beginPipeline({ ...another, run_id: failed })).rejects.toMatchObject({
      code: 'invalid_transition',
      fields: { hint: 'Possible now: retry.' },
    })
    expect(await store.listPipelines(run)).toHaveLength(2)
  }))

test('test_workspace_store_ended_run: no pipeline of a run that has ended goes on; with the run its pipelines are queued again', () =>
  withStore(async (store) => {
    const { run, pipeline } = await beginLineage(store)
    await store.failPipeline(pipeline, 'cold')
    await store.completeRun(run)
    const rejected = expect(store.changePipeline(pipeline, 'retry')).rejects
    await rejected.toMatchObject({
      code: 'invalid_transition',
      message: `The run ${run} is completed: "retry" is not possible for its pipeline ${pipeline}. Nothing was changed.`,
      fields: { hint: 'A run that is completed stays so; begin a new one.' },
    })
    expect(await store.getPipeline(pipeline)).toMatchObject({ status: 'failed', error: 'cold' })
    const failed = await beginLineage(store)
    await store.failRun(failed.run, 'warm')
    await expect(store.changePipeline(failed.pipeline, 'pause')).rejects.toMatchObject({
      code: 'invalid_transition',
      fields: { hint: 'Possible now: retry.' },
    })
    expect(await store.failPipeline(failed.pipeline, 'warm')).toBe('failed')
    await store.changeRun(failed.run, 'retry')
    expect(await store.changePipeline(failed.pipeline, 'retry')).toBe('queued')
  }))

test('test_workspace_store_cancelled_run: what of its pipelines has not ended is cancelled with a run, what has ended stays', () =>
  withStore(async (store) => {
    const other = await beginLineage(store)
    const { run, pipeline: running, chain } = await beginLineage(store)
    const begun = { run_id: run, name: 'another', dataset_name: 'wheat' }
    const [queued, paused, failed] = [
      await store.beginPipeline({ ...begun, status: 'queued' }),
      await store.beginPipeline(begun),
      await store.beginPipeline(begun),
    ]
    await store.changePipeline(paused, 'pause')
    await store.failPipeline(failed, 'cold')
    await store.savePrediction(predictionOf({ run, pipeline: running, chain }))
    await store.changeRun(run, 'pause')
    expect(await store.changeRun(run, 'cancel', { error: 'The lamp broke' })).toBe('cancelled')
    for (const id of [running, queued, paused]) {
      expect(await store.getPipeline(id)).toMatchObject({ status: 'cancelled', completed_at: expect.any(String), error: 'The lamp broke' })
    }
    expect(await store.getPipeline(failed)).toMatchObject({ status: 'failed', error: 'cold' })
    expect(await store.getPipeline(other.pipeline)).toMatchObject({ status: 'running', error: null })
    await expect(store.changePipeline(failed, 'retry')).rejects.toMatchObject({ code: 'invalid_transition' })
    // Late results of a pipeline that has ended are results.
    await store.savePrediction(predictionOf({ run, pipeline: running, chain }, { fold_id: '1' }))
    expect(await store.queryPredictions()).toHaveLength(2)
  }))

test('test_workspace_store_retried: what is begun again has no figures of the attempt before, and null takes one away', () =>
  withStore(async (store) => {
    const { run, pipeline } = await beginLineage(store)
    await store.changePipeline(pipeline, 'fail', { best_val: 9, best_test: 9, metric: 'rmse', duration_ms: 5, error: 'cold' })
    await store.changePipeline(pipeline, 'retry')
    const cleared = { best_val: null, best_test: null, metric: null, duration_ms: null, error: null }
    expect(await store.getPipeline(pipeline)).toMatchObject(cleared)
    await store.changePipeline(pipeline, 'start', { best_val: 1, best_test: 2, metric: 'r2' })
    await store.completePipeline(pipeline, { best_test: null })
    expect(await store.getPipeline(pipeline)).toMatchObject({ best_val: 1, best_test: null, metric: 'r2' })
    await store.changeRun(run, 'fail', { summary: { best: 9 } })
    await store.changeRun(run, 'retry')
    expect(await store.getRun(run)).toMatchObject({ summary: null })
  }))

test('test_workspace_store_queued_run: a run is found by the dataset that it was begun for, also without a pipeline', () =>
  withStore(async (store) => {
    const run = await store.beginRun({ name: 'Later', datasets: [{ name: 'wheat' }], status: 'queued' })
    expect(await store.listRuns({ dataset_name: 'wheat' })).toMatchObject([{ run_id: run }])
    expect(await store.listRuns({ dataset_name: 'whea' })).toEqual([])
  }))
