import type { Engine } from '../engine/open-engine.ts'
import { namedRows } from './named-rows.ts'
import { refuseAbsent } from './refuse-absent.ts'
import { ChainRecord, columnsFor, PredictionRecord } from './store-rows.ts'
import { seen } from './store-session.ts'

/** Scores of one fitted model, or of several averaged, on the three partitions. */
export interface FoldScores {
  readonly fold_id: string
  readonly val_score: number | null
  readonly test_score: number | null
  readonly train_score: number | null
}

/** What the folds of a chain come to: real folds, their averages, the refit and the twins over repetitions never in one figure. */
export interface ChainSummary {
  /** The figures are those of the metric and the dataset that it names. */
  readonly chain: ChainRecord
  readonly folds: readonly FoldScores[]
  /** Means over the real folds, each counted once; RMSECV where the metric is rmse. */
  readonly cv: { readonly val: number | null; readonly test: number | null; readonly train: number | null; readonly fold_count: number }
  readonly average: FoldScores | null
  readonly weighted_average: FoldScores | null
  /** The refit, whatever its fold is called. */
  readonly final: FoldScores | null
  readonly aggregated: readonly FoldScores[]
}

/** Computed from the rows as they are, whatever the columns of the chain say. Throws `chain_not_found`. */
export const chainSummary = async (engine: Engine, id: string): Promise<ChainSummary> => {
  await refuseAbsent(engine, 'chains', id)
  const chain = await engine.one(ChainRecord, `SELECT ${columnsFor(ChainRecord)} FROM ${seen('chains')} WHERE chain_id = $id`, { id })
  const predictions = await engine.rows(
    PredictionRecord,
    `SELECT ${columnsFor(PredictionRecord)} FROM ${seen('predictions')} p WHERE chain_id = $id ORDER BY fold_id, p.partition DESC, prediction_id`,
    { id },
  )
  const rows = namedRows(predictions, chain)
  const isTwin = ({ fold_id }: PredictionRecord) => fold_id.endsWith('_agg')
  const isFinal = (row: PredictionRecord) => row.refit_context !== null || row.fold_id === 'final'
  const plain = perFold(rows.filter((row) => !isTwin(row) && !isFinal(row)))
  const folds = plain.filter(({ fold_id }) => !averages.includes(fold_id))
  const named = (name: string) => plain.find(({ fold_id }) => fold_id === name) ?? null
  return {
    chain,
    folds,
    cv: {
      val: meanOf(folds.map(({ val_score }) => val_score)),
      test: meanOf(folds.map(({ test_score }) => test_score)),
      train: meanOf(folds.map(({ train_score }) => train_score)),
      fold_count: folds.length,
    },
    average: named('avg'),
    weighted_average: named('w_avg'),
    final: finalOf(rows.filter((row) => !isTwin(row) && isFinal(row))),
    aggregated: perFold(rows.filter(isTwin)),
  }
}

const averages = ['avg', 'w_avg', 'ensemble', 'all']

const perFold = (rows: readonly PredictionRecord[]): FoldScores[] =>
  [...Map.groupBy(rows, ({ fold_id }) => fold_id)].map(([fold_id, ofFold]) => scoresOf(fold_id, ofFold))

/** A refit is one, whatever its fold is called; the name `final` goes before others. */
const finalOf = (rows: readonly PredictionRecord[]): FoldScores | null => {
  const named = rows.find(({ fold_id }) => fold_id === 'final') ?? rows[0]
  const inOrder = rows.toSorted((one, other) => (one.partition === other.partition ? 0 : one.partition > other.partition ? -1 : 1))
  return named === undefined ? null : scoresOf(named.fold_id, inOrder)
}

const scoresOf = (fold_id: string, rows: readonly PredictionRecord[]): FoldScores => {
  const first = (score: 'val_score' | 'test_score' | 'train_score') => rows.find((row) => row[score] !== null)?.[score] ?? null
  return { fold_id, val_score: first('val_score'), test_score: first('test_score'), train_score: first('train_score') }
}

const meanOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}
