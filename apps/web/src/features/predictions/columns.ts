import type { FacetColumn, PredictionColumn, RangeColumn } from '@nirs-workspace/types'

export type CellKind = 'text' | 'code' | 'score' | 'int' | 'percent' | 'flag' | 'date' | 'partition' | 'fold' | 'named'

export interface GridColumn {
  readonly id: PredictionColumn
  readonly kind: CellKind
  /** Width in pixels at 100 % zoom, wide enough for nine in ten values of real workspaces. */
  readonly width: number
  readonly shown: boolean
}

const column = (id: PredictionColumn, kind: CellKind, width: number, shown = false): GridColumn => ({ id, kind, width, shown })

/** Every column of the big table, in the order they stand; `shown` = there before anybody chooses. */
export const gridColumns: readonly GridColumn[] = [
  column('dataset_name', 'text', 136, true),
  column('model_name', 'text', 136, true),
  column('preprocessings', 'text', 150, true),
  column('partition', 'partition', 84, true),
  column('fold_id', 'fold', 104, true),
  column('val_score', 'score', 122, true),
  column('test_score', 'score', 122, true),
  column('train_score', 'score', 122, true),
  column('metric', 'named', 104, true),
  column('n_samples', 'int', 78, true),
  column('run_name', 'text', 130, true),
  column('created_at', 'date', 150, true),
  column('model_class', 'text', 150),
  column('task_type', 'named', 160),
  column('fold_kind', 'named', 110),
  column('aggregated', 'flag', 110),
  column('n_features', 'int', 96),
  column('best_params', 'code', 220),
  column('branch_name', 'text', 130),
  column('branch_id', 'int', 90),
  column('refit_context', 'text', 120),
  column('exclusion_count', 'int', 110),
  column('exclusion_rate', 'percent', 110),
  column('has_arrays', 'flag', 90),
  column('pipeline_name', 'text', 180),
  column('prediction_id', 'code', 250),
  column('run_id', 'code', 250),
  column('pipeline_id', 'code', 250),
  column('chain_id', 'code', 250),
]

export const columnById = new Map<string, GridColumn>(gridColumns.map((each) => [each.id, each]))
export const isPredictionColumn = (name: string): name is PredictionColumn => columnById.has(name)

export const scoreColumns = ['val_score', 'test_score', 'train_score'] as const satisfies readonly PredictionColumn[]
export type ScoreColumn = (typeof scoreColumns)[number]
export const isScoreColumn = (name: string): name is ScoreColumn => scoreColumns.some((each) => each === name)

/** Which partition a score column speaks of, for the name of its RMSE. */
export const scorePartition: Record<ScoreColumn, string> = { val_score: 'val', test_score: 'test', train_score: 'train' }

/** As in the contract (a test compares); the contract's own list would bring zod along. */
export const equalityColumns: readonly FacetColumn[] = [
  'dataset_name',
  'model_name',
  'model_class',
  'preprocessings',
  'partition',
  'fold_kind',
  'fold_id',
  'metric',
  'task_type',
  'run_id',
  'run_name',
  'pipeline_id',
  'chain_id',
  'branch_name',
  'refit_context',
  'aggregated',
  'has_arrays',
]

export const isFacet = (name: string): name is FacetColumn => equalityColumns.some((each) => each === name)

export const rangedColumns: readonly RangeColumn[] = ['val_score', 'test_score', 'train_score', 'n_samples', 'n_features', 'created_at']

/** The facets of the side panel, most used first; the first five are open. */
export const panelFacets: readonly FacetColumn[] = [
  'dataset_name',
  'model_name',
  'preprocessings',
  'partition',
  'fold_kind',
  'metric',
  'task_type',
  'run_name',
  'has_arrays',
]
