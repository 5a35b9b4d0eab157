import { FoldKind, type PredictionColumn, PredictionColumnName, type PredictionRow } from '@nirs-workspace/types'
import type { ValueAt } from './catalog-reader.ts'
import { readBoolean, readNumberOrNull, readText, readTextOrNull, readTimestamp, readWireNumber, writtenTime } from './value-reader.ts'

const names = PredictionColumnName.options
const positions = new Map(names.map((name, index) => [name, index]))

const arraysState = "CASE WHEN has_arrays THEN 'stored' WHEN array_source IS NULL THEN 'none' ELSE 'unreadable' END"

/** The SELECT list that `readPredictionRow` expects; further columns may follow it. */
export const predictionColumns = [...names.map((name) => (name === 'created_at' ? writtenTime(name) : `"${name}"`)), arraysState].join(', ')

/** Position of the first column that a query selects after `predictionColumns`. */
export const afterPredictionColumns = names.length + 1

/** A row of a query that selects `predictionColumns`. */
export const readPredictionRow = (value: ValueAt): PredictionRow => {
  const of = (column: PredictionColumn) => value(positions.get(column) ?? -1)
  return {
    prediction_id: readText(of('prediction_id')),
    dataset_name: readText(of('dataset_name')),
    model_name: readText(of('model_name')),
    model_class: readText(of('model_class')),
    preprocessings: readText(of('preprocessings')),
    fold_id: readText(of('fold_id')),
    fold_kind: readFoldKind(of('fold_kind')),
    aggregated: readBoolean(of('aggregated')),
    partition: readText(of('partition')),
    metric: readText(of('metric')),
    val_score: readWireNumber(of('val_score')),
    test_score: readWireNumber(of('test_score')),
    train_score: readWireNumber(of('train_score')),
    task_type: readText(of('task_type')),
    n_samples: readNumberOrNull(of('n_samples')),
    n_features: readNumberOrNull(of('n_features')),
    best_params: readTextOrNull(of('best_params')),
    branch_id: readNumberOrNull(of('branch_id')),
    branch_name: readTextOrNull(of('branch_name')),
    refit_context: readTextOrNull(of('refit_context')),
    exclusion_count: readNumberOrNull(of('exclusion_count')),
    exclusion_rate: readWireNumber(of('exclusion_rate')),
    run_id: readTextOrNull(of('run_id')),
    run_name: readTextOrNull(of('run_name')),
    pipeline_id: readTextOrNull(of('pipeline_id')),
    pipeline_name: readTextOrNull(of('pipeline_name')),
    chain_id: readTextOrNull(of('chain_id')),
    created_at: readTimestamp(of('created_at')),
    has_arrays: readBoolean(of('has_arrays')),
    arrays_state: readArraysState(value(names.length)),
  }
}

const foldKinds: ReadonlySet<string> = new Set(FoldKind.options)
const isFoldKind = (text: string): text is FoldKind => foldKinds.has(text)

const readFoldKind = (value: unknown): FoldKind => {
  const text = readText(value)
  return isFoldKind(text) ? text : 'other'
}

const readArraysState = (value: unknown): PredictionRow['arrays_state'] => {
  const text = readText(value)
  return text === 'stored' || text === 'none' ? text : 'unreadable'
}
