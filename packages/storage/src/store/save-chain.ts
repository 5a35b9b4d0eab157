import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { countReferences, readReferences } from '../artifacts/count-references.ts'
import { artifactIdsOf } from '../bundles/chain-references.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { faultPoint } from '../files/fault-point.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeStoredText, newId, optionsOf, storedText } from '../options/option-schemas.ts'
import { refuseTaken } from './begin-run.ts'
import { isJson, jsonOrNull, jsonText, notJson } from './json-text.ts'
import { absent, refuseAbsent } from './refuse-absent.ts'
import { seen, storeAlias, written } from './store-session.ts'
import { inTransaction } from './store-transaction.ts'

export interface ChainInput {
  readonly chain_id?: string | undefined
  readonly pipeline_id: string
  /** `{ step_idx, operator_class, params, artifact_ids, stateless }`, in order; `step_idx` counts from 1. */
  readonly steps: readonly Readonly<Record<string, unknown>>[]
  /** A `step_idx`, not a place in the list. */
  readonly model_step_idx: number
  readonly model_class: string
  readonly preprocessings?: string | undefined
  readonly fold_strategy?: string | undefined
  /** `fold_0`, `fold_final` … to artifact ids. */
  readonly fold_artifacts?: Readonly<Record<string, string>> | undefined
  /** By step_idx. */
  readonly shared_artifacts?: Readonly<Record<string, unknown>> | undefined
  readonly branch_path?: readonly number[] | undefined
  readonly source_index?: number | undefined
}

const object = z.record(z.string(), z.unknown()).refine(isJson, notJson)
const Chain = optionsOf<ChainInput>({
  chain_id: newId,
  pipeline_id: storedText,
  steps: z.array(object),
  model_step_idx: z.int32(),
  model_class: storedText,
  preprocessings: maybeStoredText,
  fold_strategy: maybeStoredText,
  fold_artifacts: z.record(z.string(), z.string()).optional(),
  shared_artifacts: object.optional(),
  branch_path: z.array(z.number()).optional(),
  source_index: z.int32().optional(),
})

/**
 * Saves a chain and counts the references to the models that it names. Throws `pipeline_not_found`, `artifact_missing` when it names a
 * model that the store does not have, `validation` when no step has the number `model_step_idx`.
 */
export const saveChain = async (engine: Engine, input: ChainInput): Promise<string> => {
  checkGiven(Chain, input, 'the chain')
  const id = input.chain_id ?? randomUUID()
  const texts = {
    steps: jsonText(input.steps),
    fold_artifacts: jsonOrNull(input.fold_artifacts),
    shared_artifacts: jsonOrNull(input.shared_artifacts),
  }
  await refuseAbsent(engine, 'pipelines', input.pipeline_id)
  await refuseTaken(engine, 'chains', 'chain_id', id)
  refuseNoStep(input)
  const named = artifactIdsOf(texts)
  await refuseUnknown(engine, named)
  await faultPoint({ kind: 'engine-write', path: storeAlias })
  await inTransaction(engine, async () => {
    await engine.run(
      `INSERT INTO ${written('chains')} (chain_id, pipeline_id, steps, model_step_idx, model_class, preprocessings, fold_strategy, fold_artifacts,
         shared_artifacts, branch_path, source_index, dataset_name)
       SELECT $id, $pipeline, $steps, $step, $model, $preprocessings, $strategy, $folds, $shared, $branch, $source, dataset_name
       FROM ${seen('pipelines')} WHERE pipeline_id = $pipeline`,
      {
        id,
        pipeline: input.pipeline_id,
        steps: texts.steps,
        step: input.model_step_idx,
        model: input.model_class,
        preprocessings: input.preprocessings ?? '',
        strategy: input.fold_strategy ?? 'per_fold',
        folds: texts.fold_artifacts,
        shared: texts.shared_artifacts,
        branch: jsonOrNull(input.branch_path),
        source: input.source_index ?? null,
      },
    )
    if (named.length > 0) await noteReferences(engine, named)
  })
  return id
}

const refuseNoStep = ({ steps, model_step_idx }: ChainInput): void => {
  if (steps.some(({ step_idx }) => step_idx === model_step_idx)) return
  const numbers = steps.map(({ step_idx }) => JSON.stringify(step_idx) ?? 'none')
  throw new StorageError('validation', `No step of the chain has the step_idx ${model_step_idx} of its model. Nothing was changed.`, {
    hint:
      steps.length === 0
        ? 'Give the steps of the chain, that of the model among them.'
        : `Its steps have ${numbers.join(', ').slice(0, 500)}.`,
  })
}

const noteReferences = async (engine: Engine, ids: readonly string[]): Promise<void> => {
  const counts = countReferences(await readReferences(engine))
  for (const id of ids) {
    await engine.run(`UPDATE ${written('artifacts')} SET ref_count = $count WHERE artifact_id = $id`, { id, count: counts.get(id) ?? 0 })
  }
}

const refuseUnknown = async (engine: Engine, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  const rows = await engine.rows(
    z.object({ id: z.string() }),
    `SELECT artifact_id AS id FROM ${seen('artifacts')} WHERE list_contains($ids::JSON::VARCHAR[], artifact_id)`,
    { ids: JSON.stringify(ids) },
  )
  const known = new Set(rows.map((row) => row.id))
  const unknown = ids.find((id) => !known.has(id))
  if (unknown !== undefined) throw absent('artifacts', unknown)
}
