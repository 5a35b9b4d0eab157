import type { SavedTemplate } from '@nirs-workspace/types'
import { type SaveTemplateInput, saveTemplate } from './save-template.ts'

/** The columns of a pipeline row that make a template. */
export interface PipelineRow {
  /** The text as the store holds it: parsed here, so that `1` and `1.0`, NaN and long integers stay what they are. */
  expanded_config: string
  pipeline_id: string
  name?: string | null
  dataset_name?: string | null
  metric?: string | null
  best_val?: number | null
  best_test?: number | null
}

export type CopyOptions = Omit<SaveTemplateInput, 'pipeline' | 'pipeline_json'>

/** Saves the configuration of a pipeline that ran. Metrics and notes tell where it comes from, unless the caller gives others. */
export const copyFromPipeline = (workspace: string, row: PipelineRow, options: CopyOptions): Promise<SavedTemplate> =>
  saveTemplate(workspace, {
    ...options,
    pipeline_json: row.expanded_config,
    metrics: options.metrics ?? scoresOf(row),
    notes: options.notes ?? originOf(row),
  })

// A pipeline without test set, or a refit, has 0.0 where no score is; without a metric neither number means anything.
const scoresOf = ({ metric, best_val, best_test }: PipelineRow): Record<string, number> => {
  if (!metric) return {}
  const scores = { [`val_${metric}`]: best_val, [`test_${metric}`]: best_test }
  return Object.fromEntries(Object.entries(scores).flatMap(([name, score]) => (isScore(score) ? [[name, score]] : [])))
}

const isScore = (score: number | null | undefined): score is number => typeof score === 'number' && Number.isFinite(score) && score !== 0

const originOf = ({ pipeline_id, name, dataset_name }: PipelineRow): string =>
  `Copied from pipeline ${name ? `${name} (${pipeline_id})` : pipeline_id}${dataset_name ? ` on ${dataset_name}` : ''}.`
