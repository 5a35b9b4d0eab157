import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { type ExportContext, openExportEngine } from '../export/export-context.ts'
import { decodeExactly } from '../json/decode-json.ts'
import { checkText } from '../options/check-options.ts'
import { yamlText } from './yaml-text.ts'

const text = z.string().nullable()
const json = text.transform(decodeExactly)
/** Any number of a store, NaN and infinities among them. */
const real = z.custom<number | null>((value) => value === null || typeof value === 'number')

const Run = z.object({
  run_id: z.string(),
  name: z.string(),
  status: text,
  created_at: text,
  completed_at: text,
  project: text,
  config: json,
  datasets: json,
  summary: json,
  error: text,
})
const Pipeline = z.object({
  pipeline_id: z.string(),
  name: z.string(),
  dataset_name: z.string(),
  dataset_hash: text,
  status: text,
  created_at: text,
  completed_at: text,
  best_val: real,
  best_test: real,
  metric: text,
  duration_ms: real,
  error: text,
  expanded_config: json,
  generator_choices: json,
})
const Chain = z.object({
  pipeline_id: text,
  chain_id: z.string(),
  model_class: z.string(),
  model_name: text,
  model_step_idx: real,
  preprocessings: z.string(),
  fold_strategy: text,
  branch_path: json,
  source_index: real,
  metric: text,
  task_type: text,
  best_params: json,
  cv_val_score: real,
  cv_test_score: real,
  cv_train_score: real,
  cv_fold_count: real,
  cv_scores: json,
  final_test_score: real,
  final_train_score: real,
  final_scores: json,
  predictions: z.number(),
  steps: json,
  fold_artifacts: json,
  shared_artifacts: json,
})

const listed = (schema: z.ZodObject, table: string): string =>
  Object.keys(schema.shape)
    .filter((name) => name !== 'project' && name !== 'predictions')
    .map((name) => (name.endsWith('_at') ? `catalog.main.written_time(${table}.${name}) AS ${name}` : `${table}.${name}`))
    .join(', ')

/** A run with its pipelines and chains as YAML; JSON columns come as structures. Throws `run_not_found`. */
export const exportRun = async (context: ExportContext, runId: string): Promise<string> => {
  checkText('run_id', runId)
  const engine = await openExportEngine(context)
  try {
    return yamlText(await describeRun(engine, runId))
  } finally {
    engine.close()
  }
}

const describeRun = async (engine: Engine, id: string) => {
  const [run] = await engine.rows(
    Run,
    `SELECT ${listed(Run, 'r')}, p.name AS project FROM catalog.main.runs r LEFT JOIN catalog.main.projects p ON p.project_id = r.project_id
     WHERE r.run_id = $id LIMIT 1`,
    { id },
  )
  if (run === undefined) throw new StorageError('run_not_found', `This workspace has no run "${id}".`, { hint: 'List the runs first.' })
  const pipelines = await engine.rows(
    Pipeline,
    `SELECT ${listed(Pipeline, 'p')} FROM catalog.main.pipelines p WHERE p.run_id = $id ORDER BY p.created_at, p.pipeline_id`,
    { id },
  )
  const chains = await engine.rows(
    Chain,
    `SELECT ${listed(Chain, 'c')}, (SELECT count(*) FROM catalog.main.predictions q WHERE q.chain_id = c.chain_id) AS predictions
     FROM catalog.main.chains c JOIN catalog.main.pipelines p ON p.pipeline_id = c.pipeline_id WHERE p.run_id = $id
     ORDER BY c.created_at, c.chain_id`,
    { id },
  )
  const chainsOf = Map.groupBy(chains, (chain) => chain.pipeline_id)
  return {
    ...run,
    pipelines: pipelines.map((pipeline) => ({
      ...pipeline,
      chains: (chainsOf.get(pipeline.pipeline_id) ?? []).map(({ pipeline_id: _, ...chain }) => chain),
    })),
  }
}
