import { preprocessingSteps } from '../chemometrics/preprocess-spectra.ts'
import type { BlockTask, TrainedVariant } from '../train/trained-block.ts'
import type { Json } from './python-json.ts'

/** How the library names a model: short class, display name, Python path. */
export interface ModelNames {
  readonly modelClass: string
  readonly modelName: string
  readonly path: string
}

export const modelNames = (task: BlockTask, classes: number): ModelNames => {
  if (task.model === 'ridge') return { modelClass: 'Ridge', modelName: 'Ridge', path: 'sklearn.linear_model._ridge.Ridge' }
  return classes === 0
    ? { modelClass: 'PLSRegression', modelName: 'PLS', path: 'sklearn.cross_decomposition._pls.PLSRegression' }
    : { modelClass: 'PLSDA', modelName: 'PLS-DA', path: 'nirs4all.operators.models.sklearn.plsda.PLSDA' }
}

const paramsOf = (variant: TrainedVariant): Record<string, Json> =>
  variant.components === null ? { alpha: variant.alpha } : { n_components: variant.components }

const modelStep = (names: ModelNames, variant: TrainedVariant): Json =>
  variant.components === null
    ? { model: { class: names.path, params: paramsOf(variant) }, name: names.modelName }
    : { model: names.path, name: names.modelName, ...paramsOf(variant) }

const splitterStep = (task: BlockTask): { label: string; step: Json; params: Json } =>
  task.kind === 'refit'
    ? {
        label: '_FullTrainFoldSplitter',
        step: '<nirs4all.pipeline.execution.refit.executor._FullTrainFoldSplitter object at 0x7f2a5c1de810>',
        params: {},
      }
    : (() => {
        const params = { n_splits: task.run.folds, shuffle: true, random_state: task.run.foldSeed }
        const step = { class: 'sklearn.model_selection._split.KFold', params }
        return { label: 'KFold', step, params: step }
      })()

export interface PipelineText {
  readonly expandedConfig: Json
  readonly generatorChoices: Json
  readonly bestParams: Json
  readonly steps: Json
  readonly modelStepIndex: number
  readonly splitterStepIndex: number
  readonly splitter: string
}

/** The JSON columns that describe one variant, in the library's shapes. */
export const pipelineText = (
  task: BlockTask,
  variant: TrainedVariant,
  names: ModelNames,
  ids: { transformers: readonly string[]; models: readonly string[] },
): PipelineText => {
  const steps = preprocessingSteps(task.preprocessing)
  const splitter = splitterStep(task)
  const model = modelStep(names, variant)
  const choices = steps.map((step) => step.path)
  const modelStepIndex = steps.length + 2
  return {
    expandedConfig: [...choices, splitter.step, model],
    generatorChoices: [
      { _or_: choices.length === 1 ? (choices[0] ?? null) : choices.length === 0 ? null : choices },
      variant.components === null ? { _or_: names.path } : { _range_: variant.components },
    ],
    bestParams: variant.components === null ? {} : paramsOf(variant),
    splitter: splitter.label,
    splitterStepIndex: steps.length + 1,
    modelStepIndex,
    steps: [
      ...steps.map((step, index) => ({
        step_idx: index + 1,
        operator_class: step.operatorClass,
        params: {},
        artifact_ids: ids.transformers.slice(index, index + 1),
        stateless: false,
      })),
      { step_idx: steps.length + 1, operator_class: splitter.label, params: splitter.params, artifact_ids: [], stateless: true },
      { step_idx: modelStepIndex, operator_class: names.modelClass, params: model, artifact_ids: ids.models, stateless: false },
    ],
  }
}
