import { createHash } from 'node:crypto'
import * as z from 'zod'
import { parsePythonJson, ScoreMeans } from '../migration/score-means.ts'
import { figureColumns, twinColumns } from '../migration/store-schema.ts'
import { asNumber } from '../sqlite/read-table.ts'
import { EncodedValue } from '../sqlite/saved-row.ts'
import { namedRows } from './named-rows.ts'

/** What `FigureRow` takes from the predictions as it is. */
export const figureRowColumns = [
  'chain_id',
  'prediction_id',
  'fold_id',
  'partition',
  'val_score',
  'test_score',
  'train_score',
  'metric',
  'dataset_name',
]
  .map((column) => `predictions."${column}"`)
  .join(', ')

/** Means are of val and test; of train rows only those of refits say something that no other row does. */
export const needsScores = (refitContext: string): string =>
  `predictions."partition" <> 'train' OR ${refitContext} IS NOT NULL OR predictions.fold_id = 'final'`

/** What a chain says of its predictions in numbers. */
export const keptColumns = [...figureColumns, ...twinColumns] as const
export type FigureColumn = (typeof figureColumns)[number]

/** What these columns hold, those that the store has; to the bit. */
export const ChainFigures = z.partialRecord(z.enum(keptColumns), EncodedValue)
export type ChainFigures = z.infer<typeof ChainFigures>

/** A prediction as far as the figures of its chain need it. */
export interface FigureRow {
  readonly chain_id: string
  readonly prediction_id: string
  readonly fold_id: string
  readonly partition: string
  readonly val_score: number | null
  readonly test_score: number | null
  readonly train_score: number | null
  readonly is_refit: boolean
  readonly scores: string | null
  readonly metric: string
  readonly dataset_name: string
  /** What the chain names. */
  readonly chain_metric: string | null
  readonly chain_dataset: string | null
}

/**
 * Who has worked out the figures of a chain, which tells what they are means of: `library`, nirs4all up to 0.8.9, all rows outside of
 * refits, averages included; `without_twins`, nirs4all since, all but the twins over repetitions; `real_folds`, this store, each real fold
 * once. `none`: nobody has.
 */
export const figureForms = ['library', 'without_twins', 'real_folds', 'none'] as const
export type FigureForm = (typeof figureForms)[number]

/**
 * What a form makes of the rows of a chain, of those of the metric and the dataset that it names. Other columns of the chain are no figures
 * and stay.
 */
export const figuresFrom = (rows: readonly FigureRow[], form: Exclude<FigureForm, 'none'>): ChainFigures => figuresOf(ofChain(rows), form)

/** Of the rows of a chain those of the metric and the dataset that it names. */
export const ofChain = (rows: readonly FigureRow[]): readonly FigureRow[] => {
  const { chain_metric: metric = null, chain_dataset: dataset_name = null } = rows[0] ?? {}
  return namedRows(rows, { metric, dataset_name })
}

const figuresOf = (rows: readonly FigureRow[], form: Exclude<FigureForm, 'none'>): ChainFigures => {
  const isReal = form === 'real_folds'
  const folds = rows.filter(isCounted[form])
  const finals = rows.filter(isReal ? isFinalFit : isFinalTest)
  const withScores = finals.filter(({ scores }) => scores !== null)
  const mean = (score: Score) =>
    meanOf(
      isReal
        ? [...Map.groupBy(folds, ({ fold_id }) => fold_id).values()].map((fold) => lastOf(fold, score))
        : folds.map((row) => row[score]),
    )
  return {
    cv_val_score: real(mean('val_score')),
    cv_test_score: real(mean('test_score')),
    cv_train_score: real(mean('train_score')),
    cv_fold_count: { int: String(new Set(folds.map(({ fold_id }) => fold_id)).size) },
    cv_scores: isReal ? scoreMeans(onceEach(folds)).text('exact') : scoreMeans(folds).text(),
    final_test_score: real(lastOf(finals, 'test_score')),
    final_train_score: real(lastOf(finals, 'train_score')),
    final_scores: (withScores.findLast(({ partition }) => partition === 'test') ?? withScores.at(-1))?.scores ?? null,
  }
}

/**
 * The forms of which the figures may be, the likeliest first: those that make them of the rows, else those of cross-validation alone, else
 * those that count as many folds. Others take the rows of all metrics and datasets together. Where several make the same, `real_folds` comes
 * first: its means stay right also when only some rows of a fold go.
 */
export const formsOf = (figures: ChainFigures, rows: readonly FigureRow[]): FigureForm[] => {
  const named = ofChain(rows)
  const made = (named.length === rows.length ? [rows] : [named, rows]).flatMap((some) =>
    computed.map((form) => ({ form, made: figuresOf(some, form) })),
  )
  const isLike = (columns: readonly FigureColumn[]) => made.filter((one) => columns.every((column) => isClose(figures, one.made, column)))
  const whole = isLike([...cvNumbers, 'final_test_score', 'final_train_score'])
  const likely = [whole, isLike(cvNumbers), isLike(['cv_fold_count'])].find((some) => some.length > 0) ?? []
  const forms = [...new Set(likely.map(({ form }) => form))]
  return isBlank(figures) ? [...(whole.length > 0 ? forms : []), 'none'] : forms
}

/** Whether the numbers of the chain are those that a form makes of its rows. */
export const isUpToDate = (figures: ChainFigures, rows: readonly FigureRow[]): boolean =>
  !isBlank(figures) &&
  computed.some((form) => {
    const made = figuresFrom(rows, form)
    return figureColumns.every((column) => column.endsWith('scores') || isClose(figures, made, column))
  })

/** A hash of all that figures are made of, but for the texts of train rows, which trashes of before did not count. */
export const digestOfRows = (rows: readonly FigureRow[]): string => {
  const hash = createHash('sha256')
  for (const row of rows) {
    const numbers = [row.val_score, row.test_score, row.train_score].map((value) => (value === null ? null : String(value)))
    const names = [row.metric, row.dataset_name, row.chain_metric, row.chain_dataset]
    hash.update(
      JSON.stringify([
        row.prediction_id,
        row.fold_id,
        row.partition,
        row.is_refit,
        row.partition === 'train' ? null : row.scores,
        ...numbers,
        ...names,
      ]),
    )
  }
  return hash.digest('hex')
}

/** A value of a figure as text that every store takes for its column. */
export const textOfFigure = (value: EncodedValue | undefined): string | null => {
  if (value === undefined || value === null || typeof value === 'string') return value ?? null
  if ('int' in value) return value.int
  return 'real' in value ? value.real : value.blob
}

type Score = 'val_score' | 'test_score' | 'train_score'

const computed = ['real_folds', 'library', 'without_twins'] as const
const cvNumbers = ['cv_fold_count', 'cv_val_score', 'cv_test_score', 'cv_train_score'] as const

const isTwin = ({ fold_id }: FigureRow): boolean => fold_id.endsWith('_agg')
const averages = ['avg', 'w_avg', 'final', 'ensemble', 'all']
const isCounted = {
  library: (row: FigureRow) => !row.is_refit,
  without_twins: (row: FigureRow) => !row.is_refit && !isTwin(row),
  real_folds: (row: FigureRow) => !row.is_refit && !isTwin(row) && !averages.includes(row.fold_id),
}
const isFinalTest = (row: FigureRow): boolean => row.is_refit && row.fold_id === 'final' && row.partition === 'test'
const isFinalFit = (row: FigureRow): boolean => (row.is_refit || row.fold_id === 'final') && !isTwin(row)

/** The score of the partition that comes last by name, val before train and test, of those that have one. */
const lastOf = (rows: readonly FigureRow[], score: Score): number | null =>
  rows
    .filter((row) => row[score] !== null)
    .reduce<FigureRow | null>((best, row) => (best === null || row.partition >= best.partition ? row : best), null)?.[score] ?? null

const meanOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

const scoreMeans = (rows: readonly FigureRow[]): ScoreMeans => {
  const means = new ScoreMeans()
  for (const { partition, scores } of rows) {
    if (scores !== null && ['val', 'test'].includes(partition)) means.add(partition, parsePythonJson(scores))
  }
  return means
}

const onceEach = (rows: readonly FigureRow[]): FigureRow[] => [
  ...new Map(rows.filter(({ scores }) => scores !== null).map((row) => [JSON.stringify([row.fold_id, row.partition]), row])).values(),
]

const real = (value: number | null): EncodedValue => (value === null ? null : { real: Object.is(value, -0) ? '-0' : String(value) })

const numberOf = (value: EncodedValue | undefined): number | null => asNumber(textOfFigure(value))

/** As far as sums in another order allow. SQLite has no NaN and keeps nothing instead. */
const isClose = (figures: ChainFigures, made: ChainFigures, column: FigureColumn): boolean => {
  if (!Object.hasOwn(figures, column)) return true
  const [a, b] = [numberOf(figures[column]), numberOf(made[column])]
  if (column === 'cv_fold_count') return (a ?? 0) === (b ?? 0)
  if (a === null || b === null || Number.isNaN(a) || Number.isNaN(b)) return (a ?? Number.NaN).toString() === (b ?? Number.NaN).toString()
  return a === b || Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b))
}

const isBlank = (figures: ChainFigures): boolean =>
  figureColumns.every((column) =>
    column === 'cv_fold_count' ? (numberOf(figures[column]) ?? 0) === 0 : (figures[column] ?? null) === null,
  )
