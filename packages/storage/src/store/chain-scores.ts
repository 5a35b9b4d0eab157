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
  const all = [...Map.groupBy(rows, ({ fold_id }) => fold_id)].map(([fold_id, ofFold]) => scoresOf(fold_id, ofFold))
  const plain = all.filter(({ fold_id }) => !fold_id.endsWith('_agg'))
  const folds = plain.filter(
    ({ fold_id }) => !averages.includes(fold_id) && !rows.some((row) => row.fold_id === fold_id && row.refit_context !== null),
  )
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
    final: named('final'),
    aggregated: all.filter(({ fold_id }) => fold_id.endsWith('_agg')),
  }
}

const averages = ['avg', 'w_avg', 'final', 'ensemble', 'all']

const scoresOf = (fold_id: string, rows: readonly PredictionRecord[]): FoldScores => {
  const first = (score: 'val_score' | 'test_score' | 'train_score') => rows.find((row) => row[score] !== null)?.[score] ?? null
  return { fold_id, val_score: first('val_score'), test_score: first('test_score'), train_score: first('train_score') }
}

const meanOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}
