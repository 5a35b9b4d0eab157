import { type DemoPlan, type PlannedRun, upTo } from './demo-plan.ts'

const FILE_BLOCK = 262_144
const SMALL_BLOCK = 16_384

const run = (
  name: string,
  day: number,
  hour: number,
  rest: Omit<PlannedRun, 'name' | 'day' | 'hour' | 'refits'> & { refits?: number },
): PlannedRun => ({
  refits: 1,
  ...rest,
  name,
  day,
  hour,
})

const failure =
  "ValueError: Dataset 'barley_moisture' has no samples left after removing rows with missing targets (0 of 212). Check the column name of the target."

const failedRun: PlannedRun = run('barley-moisture-first-try', 12, 16, {
  datasets: ['barley_moisture'],
  preprocessings: ['SNV'],
  components: [6],
  ridge: false,
  folds: 3,
  foldSeed: 7,
  refits: 0,
  failure,
})

/** About 1 500 predictions of five laboratories' problems over five weeks. */
export const smallPlan: DemoPlan = {
  samples: 190,
  stepNm: 8,
  blockSize: FILE_BLOCK,
  keepFoldModels: true,
  workers: 0,
  runs: [
    run('wheat-protein-screen', 0, 9, {
      datasets: ['wheat_protein'],
      preprocessings: ['raw', 'SNV', 'SNV>1stDer'],
      components: upTo(10),
      ridge: true,
      folds: 4,
      foldSeed: 42,
      refits: 2,
    }),
    run('forage-dry-matter', 6, 14, {
      datasets: ['forage_dry_matter'],
      preprocessings: ['MSC', 'Detrend'],
      components: upTo(10),
      ridge: true,
      folds: 3,
      foldSeed: 42,
    }),
    failedRun,
    run('soil-carbon', 15, 11, {
      datasets: ['soil_carbon'],
      preprocessings: ['SNV', '2ndDer'],
      components: upTo(8),
      ridge: true,
      folds: 3,
      foldSeed: 3,
    }),
    run('olive-origin', 23, 10, {
      datasets: ['olive_oil_origin'],
      preprocessings: ['SNV', '1stDer'],
      components: [2, 4, 6, 8, 10],
      ridge: false,
      folds: 3,
      foldSeed: 11,
    }),
    run('milk-adulteration', 29, 15, {
      datasets: ['milk_adulteration'],
      preprocessings: ['SNV', '1stDer'],
      components: [2, 4, 6, 8],
      ridge: false,
      folds: 3,
      foldSeed: 5,
    }),
    run('two-instruments-check', 34, 9, {
      datasets: ['wheat_protein', 'forage_dry_matter'],
      preprocessings: ['MSC>1stDer'],
      components: [4, 6, 8],
      ridge: false,
      folds: 3,
      foldSeed: 8,
    }),
  ],
}

/** Something of every kind in about 120 predictions, for tests. */
export const tinyPlan: DemoPlan = {
  samples: 44,
  stepNm: 20,
  blockSize: SMALL_BLOCK,
  keepFoldModels: true,
  workers: 0,
  runs: [
    run('wheat-protein-screen', 0, 9, {
      datasets: ['wheat_protein'],
      preprocessings: ['SNV'],
      components: [2, 5],
      ridge: true,
      folds: 3,
      foldSeed: 42,
    }),
    failedRun,
    run('olive-origin', 23, 10, {
      datasets: ['olive_oil_origin'],
      preprocessings: ['1stDer'],
      components: [3],
      ridge: false,
      folds: 3,
      foldSeed: 11,
    }),
    run('milk-and-forage', 29, 15, {
      datasets: ['milk_adulteration', 'forage_dry_matter'],
      preprocessings: ['SNV'],
      components: [4, 6],
      ridge: false,
      folds: 3,
      foldSeed: 5,
    }),
  ],
}
