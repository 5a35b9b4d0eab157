import { join } from 'node:path'
import { elementsOf } from '../../engine/number-list.ts'
import { temporaryFolder } from '../../testing/make-store.ts'
import type { PredictionArrays, PredictionInput } from '../prediction-input.ts'
import { WorkspaceStore } from '../workspace-store.ts'

export interface Lineage {
  readonly run: string
  readonly pipeline: string
  readonly chain: string
}

/** A run with one pipeline and one chain on a dataset. */
export const beginLineage = async (store: WorkspaceStore, dataset = 'wheat'): Promise<Lineage> => {
  const run = await store.beginRun({ name: 'Morning screen', datasets: [{ name: dataset }] })
  const pipeline = await store.beginPipeline({ run_id: run, name: 'screen_p0', dataset_name: dataset, expanded_config: ['SNV'] })
  const chain = await store.saveChain({
    pipeline_id: pipeline,
    steps: [{ step_idx: 1, operator_class: 'PLSRegression', params: {}, artifact_ids: [], stateless: false }],
    model_step_idx: 1,
    model_class: 'PLSRegression',
    preprocessings: 'SNV',
  })
  return { run, pipeline, chain }
}

export const predictionOf = ({ pipeline, chain }: Lineage, more: Partial<PredictionInput> = {}): PredictionInput => ({
  pipeline_id: pipeline,
  chain_id: chain,
  dataset_name: 'wheat',
  model_name: 'PLS',
  model_class: 'PLSRegression',
  fold_id: '0',
  partition: 'val',
  val_score: 1,
  metric: 'rmse',
  task_type: 'regression',
  n_samples: 2,
  ...more,
})

export const arraysOf = (...values: number[]): PredictionArrays => ({ y_true: [1, 2], y_pred: values, sample_indices: [0, 1] })

/** The predicted values that the workspace holds of a prediction; null without arrays. */
export const predictedOf = async (store: WorkspaceStore, id: string): Promise<(number | null)[] | null> => {
  const row = await store.loadArrays(id)
  return row?.y_pred ? [...elementsOf(row.y_pred)] : null
}

/** A workspace whose predictions a fault job saves again, one of them without the arrays that it has, with one that is new. */
export const faultScene = async (path: string): Promise<Lineage> => {
  await using store = await WorkspaceStore.open(path, { create: true })
  const lineage = await beginLineage(store)
  store.bufferPrediction(predictionOf(lineage, { fold_id: '0', val_score: 1 }), arraysOf(1, 1))
  store.bufferPrediction(predictionOf(lineage, { fold_id: '1', val_score: 2 }))
  store.bufferPrediction(predictionOf(lineage, { fold_id: '3', val_score: 4 }), arraysOf(4, 4))
  await store.flush()
  return lineage
}

export const flushAgain = async (path: string): Promise<void> => {
  const store = await WorkspaceStore.open(path)
  try {
    const [pipeline] = await store.listPipelines((await store.listRuns())[0]?.run_id ?? '')
    const [known] = await store.queryPredictions()
    const lineage = { run: pipeline?.run_id ?? '', pipeline: pipeline?.pipeline_id ?? '', chain: known?.chain_id ?? '' }
    store.bufferPrediction(predictionOf(lineage, { fold_id: '0', val_score: 10 }), arraysOf(10, 10))
    store.bufferPrediction(predictionOf(lineage, { fold_id: '1', val_score: 20 }), arraysOf(20, 20))
    store.bufferPrediction(predictionOf(lineage, { fold_id: '2', val_score: 30 }), arraysOf(30, 30))
    store.bufferPrediction(predictionOf(lineage, { fold_id: '3', val_score: 40 }))
    await store.flush()
  } finally {
    store.discardBuffer()
    await store.close()
  }
}

/** What the workspace says of its folds: score and predicted values, which belong together. */
export const foldsOf = async (path: string): Promise<Record<string, unknown>> => {
  await using store = await WorkspaceStore.open(path)
  const rows = await store.queryPredictions()
  const entries = await Promise.all(
    rows.map(async (row) => [row.fold_id, [row.val_score, await predictedOf(store, row.prediction_id)]] as const),
  )
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Gives a new store to `work`, and closes it afterwards. */
export const withStore = async (work: (store: WorkspaceStore, path: string) => Promise<void>): Promise<void> => {
  await using scratch = await temporaryFolder()
  const path = join(scratch.path, 'workspace')
  await using store = await WorkspaceStore.open(path, { create: true })
  await work(store, path)
}
