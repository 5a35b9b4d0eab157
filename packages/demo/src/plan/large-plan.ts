import { sampleRecipes } from '../spectra/sample-recipes.ts'
import { type DemoPlan, type PlannedRun, plannedRows, rowsPerVariant, upTo } from './demo-plan.ts'

const preprocessings = [
  'raw',
  'SNV',
  'MSC',
  'Detrend',
  '1stDer',
  '2ndDer',
  'SNV>1stDer',
  'SNV>2ndDer',
  'MSC>1stDer',
  'MSC>2ndDer',
  'SNV>Detrend',
  '1stDer>SNV',
] as const

/** How wide the searches are. */
interface Breadth {
  readonly preprocessings: number
  readonly regressionComponents: number
  readonly classComponents: number
}

const wide: Breadth = { preprocessings: preprocessings.length, regressionComponents: 15, classComponents: 10 }
const narrow: Breadth = { preprocessings: 6, regressionComponents: 8, classComponents: 8 }

const REFITS = 3
const FILL_COMPONENTS = 15
const FILL_FOLDS = 5
/** The smallest number of rows that the filling runs can always make up. */
const FILL_AT_LEAST = 21 * FILL_COMPONENTS + 2 * 21

const searchRun = (round: number, index: number, breadth: Breadth): PlannedRun => {
  const recipe = sampleRecipes[index] ?? sampleRecipes[0]
  const regression = recipe?.classes === 0
  const number = round * sampleRecipes.length + index
  return {
    name: `${recipe?.name.replaceAll('_', '-') ?? ''}-search-${round + 1}`,
    datasets: recipe === undefined ? [] : [recipe.name],
    preprocessings: preprocessings.slice(0, breadth.preprocessings),
    components: upTo(regression ? breadth.regressionComponents : breadth.classComponents),
    ridge: regression,
    folds: regression ? 5 : 3,
    foldSeed: 42 + round,
    refits: REFITS,
    day: number,
    hour: 8 + ((number * 5) % 11),
  }
}

/** Two runs that bring the plan to exactly the wanted number of rows: a screen with refits, then a short one. */
const fillingRuns = (rows: number, day: number): PlannedRun[] => {
  const perVariant = rowsPerVariant(FILL_FOLDS)
  const count = Math.min(preprocessings.length, Math.floor((rows - 42) / (perVariant * FILL_COMPONENTS)))
  const rest = rows - count * perVariant * FILL_COMPONENTS
  const odd = (rest % perVariant) % 2
  const variants = Math.floor(rest / perVariant) - odd
  const common = { datasets: ['wheat_protein'], ridge: false, folds: FILL_FOLDS, foldSeed: 7, hour: 10 }
  const refits = (rest - variants * perVariant) / 2
  const screen: PlannedRun = {
    ...common,
    name: 'wheat-protein-screen',
    preprocessings: preprocessings.slice(0, count),
    components: upTo(FILL_COMPONENTS),
    refits,
    day,
  }
  const short: PlannedRun = {
    ...common,
    name: 'wheat-protein-check',
    preprocessings: ['SNV'],
    components: upTo(variants),
    foldSeed: 8,
    refits: 0,
    day: day + 1,
  }
  return variants === 0 ? [screen] : [screen, short]
}

/** Searches on the five datasets, round after round with other folds, of exactly `rows` predictions. */
export const largePlan = (rows: number): DemoPlan => {
  const breadth = rows >= 50_000 ? wide : narrow
  const runs: PlannedRun[] = []
  let left = rows
  for (let round = 0; ; round++) {
    const next = sampleRecipes.map((_, index) => searchRun(round, index, breadth))
    const size = next.reduce((sum, run) => sum + plannedRows(run), 0)
    if (left - size < FILL_AT_LEAST) break
    runs.push(...next)
    left -= size
  }
  for (let day = runs.length; left > 0; day += 2) {
    const filling = fillingRuns(left, day)
    runs.push(...filling)
    left -= filling.reduce((sum, run) => sum + plannedRows(run), 0)
  }
  return { samples: 415, stepNm: 14, blockSize: 262_144, keepFoldModels: false, workers: 2, runs }
}
