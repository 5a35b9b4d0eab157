// One measurement of the workspace store, or of `Predictions`, in a process of its own: `workspace-store.ts <job> <workspace> [cache folder]`.
import { attachReadOnly, attachWritable, detach, Predictions, resolveWorkspace, WorkspaceStore, withEngine } from '@nirs-workspace/storage'
import * as z from 'zod'
import { answer, childArgument } from './answer.ts'

const [job, root] = [childArgument(0), childArgument(1)]
const cacheFolder = () => childArgument(2)
const COUNT = 1000
const SAMPLES = 250
const ROUNDS = 21
const dataset_name = 'wheat_protein'

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const times = async (rounds: number, work: () => Promise<unknown>): Promise<number[]> => {
  const found: number[] = []
  for (let round = 0; round < rounds; round++) found.push(await timed(work))
  return found
}

const Id = z.object({ prediction_id: z.string() })

const jobs: Record<string, () => Promise<Record<string, unknown>>> = {
  /** Predictions with arrays of a chain that is new, saved together. */
  flush: async () => {
    const flush_ms: number[] = []
    const y_true = Float64Array.from({ length: SAMPLES }, () => 10 + Math.random())
    await using store = await WorkspaceStore.open(root)
    for (let round = 0; round < 5; round++) {
      const run_id = await store.beginRun({ name: `bench ${round}`, datasets: [{ name: dataset_name }] })
      const pipeline_id = await store.beginPipeline({ run_id, name: 'bench', dataset_name })
      const step = { step_idx: 1, operator_class: 'sklearn.cross_decomposition.PLSRegression', params: { n_components: 10 } }
      const model_class = 'PLSRegression'
      const chain_id = await store.saveChain({ pipeline_id, steps: [step], model_step_idx: 1, model_class })
      for (let index = 0; index < COUNT; index++) {
        const fold = { fold_id: String(index % 5), partition: (['train', 'val', 'test'] as const)[index % 3] ?? 'val' }
        const model = { model_name: `PLS_${index}`, model_class, metric: 'mse', task_type: 'regression', val_score: Math.random() }
        const arrays = { y_true, y_pred: y_true.map((value) => value + Math.random()) }
        store.bufferPrediction({ pipeline_id, chain_id, dataset_name, ...fold, ...model }, arrays)
      }
      flush_ms.push(await timed(() => store.flush()))
    }
    return { flush_ms }
  },
  /** As many rows without arrays by one statement: in a process of its own, as the first save of another one is. */
  insert: async () => {
    const { duckdb } = await resolveWorkspace(root)
    const insert_ms: number[] = []
    await withEngine({ threads: 2 }, async (engine) => {
      await attachWritable(engine, duckdb ?? '', 'store')
      for (let round = 0; round < 5; round++) {
        await engine.run(`CREATE OR REPLACE TEMP TABLE fresh AS SELECT * REPLACE (uuid()::VARCHAR AS prediction_id, uuid()::VARCHAR AS model_name)
          FROM store.predictions LIMIT ${COUNT}`)
        insert_ms.push(await timed(() => engine.run('INSERT INTO store.predictions FROM fresh')))
      }
      await detach(engine, 'store')
    })
    return { insert_ms }
  },
  /** The best ten of one dataset and metric, the best ten of every one, and the former in bare SQL over the same store. */
  top: async () => {
    await using predictions = await Predictions.open(root, { cacheFolder: cacheFolder() })
    const [best] = await predictions.top({ n: 1, dataset_name })
    if (best === undefined) throw new Error('Nothing can be ranked.')
    const one = { n: 10, dataset_name, metric: best.metric }
    const top_ms = await times(ROUNDS, () => predictions.top(one))
    const all_ms = await times(ROUNDS, () => predictions.top({ n: 10 }))
    const rows_ms = await times(5, async () => {
      let rows = 0
      for await (const _ of predictions.rows()) if (++rows === 10_000) break
    })
    await using store = await WorkspaceStore.open(root, { mode: 'read' })
    const store_ms = await times(ROUNDS, () => store.topPredictions({ n: 10, dataset_name, metric: best.metric }))
    const { duckdb } = await resolveWorkspace(root)
    const sql_ms: number[] = []
    await withEngine({ threads: 2 }, async (engine) => {
      await attachReadOnly(engine, duckdb ?? '', 'store')
      const sql = `SELECT prediction_id FROM store.predictions WHERE dataset_name = '${dataset_name}' AND metric = '${best.metric}'
        AND partition = 'val' AND isfinite(val_score) ORDER BY val_score, prediction_id LIMIT 10`
      sql_ms.push(...(await times(ROUNDS, () => engine.rows(Id, sql))))
    })
    return { top_ms, all_ms, rows_ms, store_ms, sql_ms }
  },
}

const run = jobs[job]
if (run === undefined) throw new Error(`There is no measurement "${job}".`)
answer(await run())
