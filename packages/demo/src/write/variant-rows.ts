import { preprocessingSteps } from '../chemometrics/preprocess-spectra.ts'
import { type RandomSource, randomSource } from '../random-source.ts'
import type { SampleRecipe } from '../spectra/sample-recipes.ts'
import { primaryMetric } from '../train/score-folds.ts'
import type { BlockTask, TrainedBlock, TrainedFold, TrainedVariant } from '../train/trained-block.ts'
import { type Artifact, coefficientList, makeArtifact } from './artifact-files.ts'
import type { PredictionRow } from './legacy-rows.ts'
import { modelNames, pipelineText } from './pipeline-text.ts'
import { pythonJson } from './python-json.ts'
import type { PendingRows } from './store-writer.ts'

/** Microseconds. */
const SECOND = 1_000_000

export interface VariantContext {
  readonly seed: number
  readonly runId: string
  readonly recipe: SampleRecipe
  readonly task: BlockTask
  readonly block: TrainedBlock
  /** When the variant began; microseconds since 1970. */
  readonly startedAt: number
}

/** What the run remembers of a variant once its rows are written. */
export interface WrittenVariant {
  readonly task: BlockTask
  readonly components: number | null
  /** Cross-validated score that variants are compared by. */
  readonly selectionScore: number
  readonly bestVal: number
  readonly bestTest: number
  readonly finishedAt: number
  readonly artifacts: readonly Artifact[]
}

const best = (folds: readonly TrainedFold[], classes: number): TrainedFold => {
  const [first, ...rest] = folds
  if (first === undefined) throw new Error('A variant has at least one fold')
  return rest.reduce((found, fold) => ((classes === 0 ? fold.val < found.val : fold.val > found.val) ? fold : found), first)
}

/** As the library cuts them: the first sixteen characters of a version 4 UUID. */
const predictionId = (random: RandomSource) => random.uuid().slice(0, 16)

const artifactsOf = (context: VariantContext, variant: TrainedVariant, pipelineName: string, modelClass: string, random: RandomSource) => {
  if (variant.coefficients.length === 0) return { transformers: [], models: [] }
  const { task, startedAt } = context
  const transformers = preprocessingSteps(task.preprocessing).map((step) =>
    makeArtifact({
      id: `${pipelineName}$${random.hex(12)}:all`,
      type: 'transformer',
      operatorClass: step.operatorClass,
      createdAt: startedAt + SECOND / 10,
      state: { dataset: task.dataset, preprocessing: step.label },
    }),
  )
  const path = random.hex(12)
  const models = variant.coefficients.map((coefficients, fold) =>
    makeArtifact({
      id: `${pipelineName}$${path}:${fold}`,
      type: 'model',
      operatorClass: modelClass,
      createdAt: startedAt + SECOND / 5,
      state: { dataset: task.dataset, n_components: variant.components, alpha: variant.alpha, coefficients: coefficientList(coefficients) },
    }),
  )
  return { transformers, models }
}

const pipelineNameOf = (task: BlockTask, random: RandomSource) =>
  task.kind === 'refit' ? 'pipeline_refit' : `${task.run.name}_${random.hex(8)}`

/** Adds the pipeline, chain, predictions, artifacts and log of one trained variant. */
export const addVariant = (rows: PendingRows, context: VariantContext, variant: TrainedVariant): WrittenVariant => {
  const { task, recipe, block, startedAt } = context
  const { classes } = recipe
  const random = randomSource(context.seed, context.runId, task.kind, task.dataset, task.preprocessing, task.model, variant.components ?? 0)
  const names = modelNames(task, classes)
  const [pipelineId, chainId, pipelineName] = [random.uuid(), random.uuid(), pipelineNameOf(task, random)]
  // Refits all carry one pipeline name, so their artifact ids would collide between runs, as they do in the library.
  const artifactOwner = task.kind === 'refit' ? `${task.run.name}_${pipelineName}_${random.hex(4)}` : pipelineName
  const { transformers, models } = artifactsOf(context, variant, artifactOwner, names.modelClass, random)
  const idOf = (artifact: Artifact) => artifact.row.artifact_id
  const text = pipelineText(task, variant, names, { transformers: transformers.map(idOf), models: models.map(idOf) })
  const top = best(variant.folds, classes)
  const metric = primaryMetric(classes)
  const milliseconds = 180 + random.integer(420)
  const finishedAt = startedAt + milliseconds * 1000
  const foldKey = (index: number) => (task.kind === 'refit' ? 'fold_final' : `fold_${index}`)

  rows.pipelines.push({
    pipeline_id: pipelineId,
    run_id: context.runId,
    name: pipelineName,
    expanded_config: pythonJson(text.expandedConfig),
    generator_choices: pythonJson(text.generatorChoices),
    dataset_name: task.dataset,
    dataset_hash: block.datasetHash,
    status: 'completed',
    created_at: startedAt,
    completed_at: finishedAt,
    best_val: top.val,
    best_test: top.test,
    metric,
    duration_ms: milliseconds,
    error: null,
  })
  rows.chains.push({
    chain_id: chainId,
    pipeline_id: pipelineId,
    steps: pythonJson(text.steps),
    model_step_idx: text.modelStepIndex,
    model_class: names.modelClass,
    preprocessings: task.preprocessing,
    fold_artifacts: pythonJson(Object.fromEntries(models.map((artifact, index) => [foldKey(index), idOf(artifact)]))),
    shared_artifacts: pythonJson(Object.fromEntries(transformers.map((artifact, index) => [String(index + 1), [idOf(artifact)]]))),
    created_at: finishedAt - SECOND / 10,
  })
  rows.logs.push({
    log_id: random.uuid(),
    pipeline_id: pipelineId,
    step_idx: text.splitterStepIndex,
    operator_class: text.splitter,
    ...foldFileLog(task),
    created_at: startedAt + SECOND / 20,
  })
  rows.artifacts.push(...[...transformers, ...models].map((artifact) => artifact.row))

  const bestParams = pythonJson(text.bestParams)
  let saved = finishedAt - SECOND / 20
  for (const fold of variant.folds) {
    const { foldId: fold_id, val: val_score, test: test_score, train: train_score, scores, weights } = fold
    for (const { partition, yTrue, yPred, yProba, sampleIndices } of fold.rows) {
      saved += 300 + random.integer(900)
      const row: PredictionRow = {
        prediction_id: predictionId(random),
        pipeline_id: pipelineId,
        chain_id: chainId,
        dataset_name: task.dataset,
        model_name: names.modelName,
        model_class: names.modelClass,
        fold_id,
        partition,
        val_score,
        test_score,
        train_score,
        metric,
        task_type: recipe.task,
        n_samples: yTrue.length,
        n_features: block.features,
        scores,
        best_params: bestParams,
        preprocessings: task.preprocessing,
        refit_context: task.kind === 'refit' ? 'standalone' : null,
        created_at: saved,
        y_true: yTrue,
        y_pred: yPred,
        y_proba: yProba,
        sample_indices: sampleIndices,
        weights,
      }
      rows.predictions.push(row)
    }
  }
  const average = variant.folds.find((fold) => fold.foldId === 'avg')
  return {
    task,
    components: variant.components,
    selectionScore: average?.val ?? top.val,
    bestVal: top.val,
    bestTest: top.test,
    finishedAt: Math.max(finishedAt, saved),
    artifacts: [...transformers, ...models],
  }
}

export const foldFileName = (task: BlockTask): string =>
  task.kind === 'refit' ? 'folds__FullTrainFoldSplitter' : `folds_KFold_seed${task.run.foldSeed}`

const foldFileLog = (task: BlockTask) => {
  const name = foldFileName(task)
  return { message: `Output: ${name}.csv`, details: pythonJson({ name, type: 'csv', path: `outputs/${name}.csv` }) }
}
