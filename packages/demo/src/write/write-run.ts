import { type PlannedRun, variantsOf } from '../plan/demo-plan.ts'
import { randomSource } from '../random-source.ts'
import { type SampleRecipe, sampleRecipes } from '../spectra/sample-recipes.ts'
import { primaryMetric } from '../train/score-folds.ts'
import type { BlockTask, TrainedBlock } from '../train/trained-block.ts'
import type { TrainingPool } from '../train/training-pool.ts'
import { type Artifact, writeArtifacts } from './artifact-files.ts'
import { pythonJson } from './python-json.ts'
import { writeFoldFiles, writeRunLog } from './side-files.ts'
import type { PendingRows } from './store-writer.ts'
import { addVariant, type WrittenVariant } from './variant-rows.ts'

/** Monday 9 February 2026, midnight, in microseconds: the days of 0.7.1. */
const FIRST_DAY = Date.UTC(2026, 1, 9) * 1000
const HOUR = 3_600_000_000

export interface RunContext {
  readonly seed: number
  readonly directory: string
  readonly pool: TrainingPool
  /** Calls back after each block with the number of new predictions. */
  readonly onPredictions: (count: number) => void
}

const recipeOf = (dataset: string): SampleRecipe => {
  const recipe = sampleRecipes.find((candidate) => candidate.name === dataset)
  if (recipe === undefined) throw new Error(`No recipe for a dataset called ${dataset}`)
  return recipe
}

/** The cross-validation work of a run, dataset after dataset. */
const blockTasks = (run: PlannedRun): BlockTask[] =>
  run.datasets.flatMap((dataset) =>
    run.preprocessings.flatMap((preprocessing) => {
      const task = { run, dataset, preprocessing, kind: 'cross-validation', components: run.components } as const
      const ridge = run.ridge && recipeOf(dataset).classes === 0
      return ridge ? [{ ...task, model: 'pls' } as const, { ...task, model: 'ridge' } as const] : [{ ...task, model: 'pls' } as const]
    }),
  )

const bestOf = (written: readonly WrittenVariant[], dataset: string, count: number): WrittenVariant[] => {
  const sign = recipeOf(dataset).classes === 0 ? 1 : -1
  return written
    .filter((variant) => variant.task.dataset === dataset)
    .toSorted((left, right) => sign * (left.selectionScore - right.selectionScore))
    .slice(0, count)
}

const refitTask = (winner: WrittenVariant): BlockTask => ({ ...winner.task, kind: 'refit', components: [winner.components ?? 1] })

const summaryOf = (written: readonly WrittenVariant[], run: PlannedRun): string => {
  const dataset = run.datasets[0] ?? ''
  const [winner] = bestOf(written, dataset, 1)
  const { classes } = recipeOf(dataset)
  return pythonJson({ total_pipelines: written.length, best_score: winner?.bestTest ?? null, best_metric: primaryMetric(classes) })
}

const runTexts = (run: PlannedRun) => ({
  config: pythonJson({
    n_pipelines: Math.max(...run.datasets.map((dataset) => variantsOf(run, dataset))),
    n_datasets: run.datasets.length,
  }),
  datasets: pythonJson(run.datasets.map((name) => ({ name }))),
})

/** A run that broke off while it loaded its data: one failed pipeline, no predictions. */
const addFailedRun = async (rows: PendingRows, run: PlannedRun, failure: string, context: RunContext): Promise<void> => {
  const random = randomSource(context.seed, 'run', run.name, run.day)
  const startedAt = FIRST_DAY + (run.day * 24 + run.hour) * HOUR + random.integer(HOUR)
  const runId = random.uuid()
  const ended = { completed_at: startedAt + 840_000, error: failure }
  rows.runs.push({ run_id: runId, name: run.name, ...runTexts(run), status: 'failed', created_at: startedAt, summary: null, ...ended })
  rows.pipelines.push({
    pipeline_id: random.uuid(),
    run_id: runId,
    name: `${run.name}_${random.hex(8)}`,
    expanded_config: pythonJson(['nirs4all.operators.transforms.scalers.StandardNormalVariate']),
    generator_choices: '[]',
    dataset_name: run.datasets[0] ?? '',
    dataset_hash: null,
    status: 'failed',
    created_at: startedAt + 50_000,
    best_val: null,
    best_test: null,
    metric: null,
    duration_ms: null,
    ...ended,
  })
  await writeRunLog(context.directory, run, runId, startedAt, [failure])
}

/** Asks the pool for all blocks at once and hands them out in the order of the tasks. */
async function* trained(pool: TrainingPool, tasks: readonly BlockTask[]): AsyncGenerator<[BlockTask, TrainedBlock]> {
  const answers = tasks.map((task) => pool.train(task))
  // A later block may fail while an earlier one is still awaited; its error is thrown when its turn comes.
  for (const answer of answers) answer.catch(() => undefined)
  for (const [index, task] of tasks.entries()) {
    const answer = answers[index]
    if (answer !== undefined) yield [task, await answer]
  }
}

/** Trains one run of the plan and adds its rows; its artifact, log and fold files are written at once. */
export const addRun = async (rows: PendingRows, run: PlannedRun, context: RunContext): Promise<void> => {
  if (run.failure !== undefined) return addFailedRun(rows, run, run.failure, context)
  const random = randomSource(context.seed, 'run', run.name, run.day)
  const startedAt = FIRST_DAY + (run.day * 24 + run.hour) * HOUR + random.integer(HOUR)
  const runId = random.uuid()
  const written: WrittenVariant[] = []
  const artifacts: Artifact[] = []
  let clock = startedAt + 60_000
  let calibrationSize = 0

  const addBlocks = async (tasks: readonly BlockTask[]) => {
    for await (const [task, block] of trained(context.pool, tasks)) {
      const before = rows.predictions.length
      calibrationSize = block.calibrationSize
      for (const variant of block.variants) {
        const result = addVariant(
          rows,
          { seed: context.seed, runId, recipe: recipeOf(task.dataset), task, block, startedAt: clock },
          variant,
        )
        clock = result.finishedAt + 5000
        artifacts.push(...result.artifacts)
        if (task.kind === 'cross-validation') written.push(result)
      }
      context.onPredictions(rows.predictions.length - before)
    }
  }

  await addBlocks(blockTasks(run))
  await addBlocks(run.datasets.flatMap((dataset) => bestOf(written, dataset, run.refits).map(refitTask)))
  rows.runs.push({
    run_id: runId,
    name: run.name,
    ...runTexts(run),
    status: 'completed',
    created_at: startedAt,
    completed_at: clock + 15_000,
    summary: summaryOf(written, run),
    error: null,
  })
  await writeArtifacts(context.directory, artifacts)
  await writeRunLog(context.directory, run, runId, startedAt, [`${written.length} variants trained`])
  await writeFoldFiles(context.directory, run, calibrationSize)
}
