import type { Matrix } from 'ml-matrix'
import { preprocess } from '../chemometrics/preprocess-spectra.ts'
import { makeDataset, type SpectralDataset } from '../spectra/make-dataset.ts'
import { sampleRecipes } from '../spectra/sample-recipes.ts'
import { type FittedVariant, fitVariants } from './fold-predictions.ts'
import { foldScorer } from './score-folds.ts'
import { splitFolds } from './split-folds.ts'
import type { BlockTask, TrainedBlock, TrainedVariant, TrainingSetup } from './trained-block.ts'

const first = <T>(items: readonly T[]): T => {
  const [item] = items
  if (item === undefined) throw new Error('A block needs at least one fold and one model')
  return item
}

/** Trains blocks one after the other; datasets and the last preprocessing are kept between calls. */
export const blockTrainer = (setup: TrainingSetup): ((task: BlockTask) => TrainedBlock) => {
  const datasets = new Map<string, SpectralDataset>()
  let latest: { key: string; spectra: Matrix } | undefined

  const datasetOf = (name: string): SpectralDataset => {
    const known = datasets.get(name)
    if (known !== undefined) return known
    const recipe = sampleRecipes.find((candidate) => candidate.name === name)
    if (recipe === undefined) throw new Error(`No recipe for a dataset called ${name}`)
    const made = makeDataset(recipe, setup, setup.seed)
    datasets.set(name, made)
    return made
  }

  const spectraOf = (dataset: SpectralDataset, preprocessing: string): Matrix => {
    const key = `${dataset.recipe.name} ${preprocessing}`
    if (latest?.key !== key) latest = { key, spectra: preprocess(dataset.spectra, preprocessing, dataset.calibrationSize) }
    return latest.spectra
  }

  const keep = (variant: FittedVariant) => variant.coefficients()

  const crossValidate = (task: BlockTask, dataset: SpectralDataset, spectra: Matrix): TrainedVariant[] => {
    const scorer = foldScorer(dataset)
    const splits = splitFolds(dataset.calibrationSize, task.run.folds, task.run.foldSeed)
    const fitted = splits.map((split) => fitVariants(dataset, spectra, split.train, task.model, task.components))
    return first(fitted).map((variant, index) => {
      const perFold = fitted.flatMap((fold) => fold[index] ?? [])
      return {
        components: variant.components,
        alpha: variant.alpha,
        folds: scorer.crossValidated(
          perFold.map((model) => model.outcome),
          splits,
        ),
        coefficients: setup.keepFoldModels ? perFold.map(keep) : [],
      }
    })
  }

  const refit = (task: BlockTask, dataset: SpectralDataset, spectra: Matrix): TrainedVariant => {
    const scorer = foldScorer(dataset)
    const model = first(fitVariants(dataset, spectra, scorer.calibration, task.model, task.components))
    return { components: model.components, alpha: model.alpha, folds: [scorer.refitted(model.outcome)], coefficients: [keep(model)] }
  }

  return (task) => {
    const dataset = datasetOf(task.dataset)
    const spectra = spectraOf(dataset, task.preprocessing)
    const variants = task.kind === 'refit' ? [refit(task, dataset, spectra)] : crossValidate(task, dataset, spectra)
    return { variants, features: spectra.columns, datasetHash: dataset.hash, calibrationSize: dataset.calibrationSize }
  }
}
