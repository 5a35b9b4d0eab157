import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { decodeJson } from '../json/decode-json.ts'
import { entriesOf } from '../json/entries-of.ts'
import { artifactIdsOf } from './chain-references.ts'

const text = z.string().nullable()
const whole = z.number().nullable()

const Stored = z.object({
  chain_id: z.string(),
  pipeline_id: text,
  steps: text,
  model_step_idx: whole,
  model_class: z.string(),
  preprocessings: z.string(),
  fold_strategy: text,
  fold_artifacts: text,
  shared_artifacts: text,
  branch_path: text,
  source_index: whole,
  model_name: text,
  metric: text,
  best_params: text,
  run_id: text,
  run_name: text,
  pipeline_name: text,
  dataset_name: text,
  dataset_hash: text,
  expanded_config: text,
  generator_choices: text,
})

const Artifact = z.object({
  artifact_id: z.string(),
  artifact_path: z.string(),
  content_hash: z.string(),
  operator_class: text,
  artifact_type: text,
  format: text,
})
export type ArtifactRow = z.infer<typeof Artifact>

/** A chain as the manifest names it, and the two JSON files that describe it. */
export interface ChainRow extends Pick<z.infer<typeof Stored>, 'chain_id' | 'pipeline_id' | 'run_id' | 'model_class' | 'model_name'> {
  readonly model_step_idx: number | null
  readonly preprocessings: string
  readonly fold_strategy: string | null
  readonly dataset_name: string | null
  readonly has_refit: boolean
  readonly chain_json: string
  readonly lineage_json: string
}

/** A chain, the rows of the artifacts that it names, ids that have no row, and what a reader should know. Throws `chain_not_found`. */
export const readChain = async (engine: Engine, id: string) => {
  const [stored] = await engine.rows(
    Stored,
    `SELECT c.chain_id, c.pipeline_id, c.steps, c.model_step_idx, c.model_class, c.preprocessings, c.fold_strategy, c.fold_artifacts,
       c.shared_artifacts, c.branch_path, c.source_index, c.model_name, c.metric, c.best_params, p.run_id, r.name AS run_name,
       p.name AS pipeline_name, coalesce(c.dataset_name, p.dataset_name) AS dataset_name, p.dataset_hash, p.expanded_config, p.generator_choices
     FROM catalog.main.chains c LEFT JOIN catalog.main.pipelines p ON p.pipeline_id = c.pipeline_id
     LEFT JOIN catalog.main.runs r ON r.run_id = p.run_id WHERE c.chain_id = $id LIMIT 1`,
    { id },
  )
  if (stored === undefined)
    throw new StorageError('chain_not_found', `This workspace has no chain "${id}".`, { hint: 'List the chains of the run.' })
  const ids = artifactIdsOf(stored)
  const artifacts = await engine.rows(
    Artifact,
    `SELECT artifact_id, artifact_path, content_hash, operator_class, artifact_type, format FROM catalog.main.artifacts
     WHERE artifact_id IN (SELECT unnest(from_json($ids, '["VARCHAR"]'))) ORDER BY artifact_id`,
    { ids: JSON.stringify(ids) },
  )
  const known = new Set(artifacts.map((row) => row.artifact_id))
  return {
    chain: described(stored),
    artifacts,
    unknown: ids.filter((one) => !known.has(one)),
    warnings: await sharedIds(engine, stored, ids),
  }
}

const described = (stored: z.infer<typeof Stored>): ChainRow => {
  const { steps, model_step_idx, fold_artifacts, shared_artifacts, branch_path, source_index, best_params } = stored
  const folds = entriesOf(decodeJson(fold_artifacts)) ?? []
  const { run_id, run_name, pipeline_id, pipeline_name, dataset_name, dataset_hash, metric } = stored
  return {
    ...stored,
    has_refit: folds.some(([fold]) => fold === 'fold_final' || fold === 'final'),
    chain_json: jsonText({ steps, fold_artifacts, shared_artifacts, branch_path, best_params }, { model_step_idx, source_index }),
    lineage_json: jsonText(
      { expanded_config: stored.expanded_config, generator_choices: stored.generator_choices },
      { run_id, run_name, pipeline_id, pipeline_name, dataset_name, dataset_hash, metric },
    ),
  }
}

/** An object of stored JSON texts, kept as they are (Python's NaN included), and of plain members. */
const jsonText = (texts: Record<string, string | null>, plain: Record<string, unknown>): string => {
  const members = [
    ...Object.entries(texts).map(([key, value]) => `${JSON.stringify(key)}: ${isJson(value) ? value : JSON.stringify(value)}`),
    ...Object.entries(plain).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`),
  ]
  return `{${members.join(', ')}}\n`
}

const isJson = (value: string | null): value is string =>
  value !== null && (typeof decodeJson(value) !== 'string' || value.trimStart().startsWith('"'))

/**
 * nirs4all names an artifact by pipeline and step, not by dataset: of a run over two datasets the second one's chains may point to models
 * that were fitted on the first. Which of the two a file is cannot be told from the store.
 */
const sharedIds = async (engine: Engine, { chain_id, dataset_name }: z.infer<typeof Stored>, ids: readonly string[]): Promise<string[]> => {
  const others = await engine.rows(
    z.object({ dataset_name: z.string() }),
    `SELECT DISTINCT p.dataset_name FROM catalog.main.chains c JOIN catalog.main.pipelines p ON p.pipeline_id = c.pipeline_id,
       (SELECT unnest(from_json($ids, '["VARCHAR"]')) AS id) a
     WHERE c.chain_id <> $chain AND p.dataset_name IS DISTINCT FROM $dataset
       AND (contains(c.fold_artifacts, '"' || a.id || '"') OR contains(c.shared_artifacts, '"' || a.id || '"')) ORDER BY ALL`,
    { ids: JSON.stringify(ids), chain: chain_id, dataset: dataset_name },
  )
  if (others.length === 0) return []
  const names = others.map((row) => JSON.stringify(row.dataset_name)).join(', ')
  return [`Models of this chain are also named by chains of ${names}: they may have been fitted on that dataset.`]
}
