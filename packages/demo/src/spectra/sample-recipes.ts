import type { RandomSource } from '../random-source.ts'
import type { Constituent } from './absorption-bands.ts'

export type TaskType = 'regression' | 'binary_classification' | 'multiclass_classification'

/** What one sample is made of: amounts of the constituents, and the reference value the laboratory writes down. */
export interface Sample {
  readonly amounts: Partial<Record<Constituent, number>>
  /** The concentration, or the code of the class. */
  readonly reference: number
}

export interface SampleRecipe {
  readonly name: string
  readonly task: TaskType
  readonly unit: string
  /** Number of classes; 0 for regression. */
  readonly classes: number
  /** Standard deviation of the reference method, in the unit of the target. */
  readonly referenceError: number
  /** Standard deviation of the detector's noise in absorbance. */
  readonly noise: number
  /** Spread of the path length between samples. */
  readonly scatter: number
  /** Share of all samples that the demo workspace's large form takes relative to the small one's proportions. */
  readonly relativeSize: number
  readonly draw: (random: RandomSource) => Sample
}

const positive = (value: number) => Math.max(0.001, value)
const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

const wheat = (random: RandomSource): Sample => {
  const protein = clamp(random.normal(12.6, 1.7), 7.5, 19)
  const water = random.normal(12.2, 1.1)
  const cellulose = positive(random.normal(2.6, 0.5))
  const oil = positive(random.normal(1.9, 0.3))
  const starch = 100 - protein - water - cellulose - oil - random.normal(8, 1.3)
  return {
    amounts: { protein: protein / 100, water: water / 100, starch: starch / 100, oil: oil / 100, cellulose: cellulose / 100 },
    reference: protein,
  }
}

const forage = (random: RandomSource): Sample => {
  const water = clamp(6 + 5 * random.next() + Math.abs(random.normal(0, 1.5)), 4, 18)
  const cellulose = random.normal(30, 5)
  const lignin = positive(random.normal(5.5, 1.6))
  const protein = positive(random.normal(14, 4.5))
  const starch = positive(random.normal(8, 4))
  return {
    amounts: { water: water / 100, cellulose: cellulose / 100, lignin: lignin / 100, protein: protein / 100, starch: starch / 100 },
    reference: 100 - water,
  }
}

const soil = (random: RandomSource): Sample => {
  const carbon = clamp(Math.exp(random.normal(0.55, 0.62)), 0.25, 12)
  const clay = clamp(random.normal(28, 12), 3, 65)
  const carbonate = Math.max(0, random.normal(6, 7))
  const water = positive(random.normal(4, 1.4) + clay * 0.05)
  return {
    amounts: { humus: carbon / 14, clay: clay / 100, carbonate: carbonate / 100, water: water / 100 },
    reference: carbon,
  }
}

/** Oleic and linoleic shares, and traces of water, by region of origin. */
const origins = [
  { oleic: 74, linoleic: 7.5, water: 0.09 },
  { oleic: 70.5, linoleic: 10.5, water: 0.11 },
  { oleic: 66, linoleic: 13, water: 0.1 },
  { oleic: 78, linoleic: 5.5, water: 0.07 },
  { oleic: 71, linoleic: 9, water: 0.16 },
] as const

const oliveOil = (random: RandomSource): Sample => {
  const label = random.integer(origins.length)
  const origin = origins[label] ?? origins[0]
  const oleic = random.normal(origin.oleic, 1.3)
  const linoleic = random.normal(origin.linoleic, 0.8)
  const water = positive(random.normal(origin.water, 0.015))
  return {
    amounts: { oleic: oleic / 100, linoleic: linoleic / 100, oil: (100 - oleic - linoleic) / 100, water: water / 6 },
    reference: label,
  }
}

const milk = (random: RandomSource): Sample => {
  const adulterated = random.next() < 0.42
  const dilution = adulterated ? 1 - clamp(random.normal(0.06, 0.04), 0, 0.2) : 1
  const urea = adulterated ? positive(random.normal(0.011, 0.006)) : positive(random.normal(0.0028, 0.0012))
  const oil = positive(random.normal(3.9, 0.6)) * dilution
  const protein = positive(random.normal(3.4, 0.28)) * dilution
  const lactose = positive(random.normal(4.8, 0.2)) * dilution
  return {
    amounts: { oil: oil / 100, protein: protein / 100, lactose: lactose / 100, urea: urea * 1.2, water: 0.42 + (1 - dilution) * 0.4 },
    reference: adulterated ? 1 : 0,
  }
}

const regression = { task: 'regression', classes: 0 } as const

/** The five laboratories' problems of the demo workspace. */
export const sampleRecipes: readonly SampleRecipe[] = [
  {
    ...regression,
    name: 'wheat_protein',
    unit: '% protein',
    referenceError: 0.18,
    noise: 0.00055,
    scatter: 0.11,
    relativeSize: 1.2,
    draw: wheat,
  },
  {
    ...regression,
    name: 'forage_dry_matter',
    unit: '% dry matter',
    referenceError: 0.25,
    noise: 0.0009,
    scatter: 0.16,
    relativeSize: 1,
    draw: forage,
  },
  {
    ...regression,
    name: 'soil_carbon',
    unit: '% organic carbon',
    referenceError: 0.08,
    noise: 0.0012,
    scatter: 0.2,
    relativeSize: 1.1,
    draw: soil,
  },
  {
    name: 'olive_oil_origin',
    task: 'multiclass_classification',
    unit: 'region',
    classes: origins.length,
    referenceError: 0,
    noise: 0.0005,
    scatter: 0.03,
    relativeSize: 0.9,
    draw: oliveOil,
  },
  {
    name: 'milk_adulteration',
    task: 'binary_classification',
    unit: 'adulterated',
    classes: 2,
    referenceError: 0,
    noise: 0.0007,
    scatter: 0.06,
    relativeSize: 0.9,
    draw: milk,
  },
]
