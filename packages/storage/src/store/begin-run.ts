import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeStoredText, newId, optionsOf, storedText } from '../options/option-schemas.ts'
import { refuseEnded, statusOf } from './change-status.ts'
import { isJson, jsonOrNull, notJson } from './json-text.ts'
import { refuseAbsent } from './refuse-absent.ts'
import { seen, written } from './store-session.ts'

export interface RunInput {
  readonly run_id?: string | undefined
  readonly name: string
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** As the library has them: `[{ name: 'wheat' }]`. */
  readonly datasets?: readonly Readonly<Record<string, unknown>>[] | undefined
  readonly project_id?: string | undefined
  /** Default `running`. */
  readonly status?: 'queued' | 'running' | undefined
  readonly lineage?: RunLineageInput | undefined
}

/** Where a run comes from; stands in its config under `lineage`. */
export interface RunLineageInput {
  /** The run that this one was made from. */
  readonly parent_run?: string | undefined
  /** The prediction that is being run again. */
  readonly derived_from_result?: string | undefined
  readonly modifications?: readonly Readonly<Record<string, unknown>>[] | undefined
}

const object = z.record(z.string(), z.unknown()).refine(isJson, notJson)
const Run = optionsOf<RunInput>({
  run_id: newId,
  name: storedText,
  config: object.optional(),
  datasets: z.array(object).optional(),
  project_id: maybeStoredText,
  status: z.enum(['queued', 'running']).optional(),
  lineage: optionsOf<RunLineageInput>({
    parent_run: maybeStoredText,
    derived_from_result: maybeStoredText,
    modifications: z.array(object).optional(),
  }).optional(),
})

export const beginRun = async (engine: Engine, input: RunInput): Promise<string> => {
  checkGiven(Run, input, 'the run')
  const id = input.run_id ?? randomUUID()
  if (input.project_id !== undefined) await refuseAbsent(engine, 'projects', input.project_id)
  if (input.lineage?.parent_run !== undefined) await refuseAbsent(engine, 'runs', input.lineage.parent_run)
  if (input.lineage?.derived_from_result !== undefined) await refuseAbsent(engine, 'predictions', input.lineage.derived_from_result)
  await refuseTaken(engine, 'runs', 'run_id', id)
  const config = input.lineage === undefined ? input.config : { ...input.config, lineage: input.lineage }
  await engine.run(
    `INSERT INTO ${written('runs')} (run_id, name, config, datasets, status, project_id) VALUES ($id, $name, $config, $datasets, $status, $project)`,
    {
      id,
      name: input.name,
      config: jsonOrNull(config),
      datasets: jsonOrNull(input.datasets),
      status: input.status ?? 'running',
      project: input.project_id ?? null,
    },
  )
  return id
}

export interface PipelineInput {
  readonly pipeline_id?: string | undefined
  readonly run_id: string
  readonly name: string
  readonly dataset_name: string
  readonly dataset_hash?: string | undefined
  /** The steps, as JSON. */
  readonly expanded_config?: unknown
  readonly generator_choices?: unknown
  readonly status?: 'queued' | 'running' | undefined
}

const Pipeline = optionsOf<PipelineInput>({
  pipeline_id: newId,
  run_id: storedText,
  name: storedText,
  dataset_name: storedText,
  dataset_hash: maybeStoredText,
  expanded_config: z.unknown().refine(isJson, notJson).optional(),
  generator_choices: z.unknown().refine(isJson, notJson).optional(),
  status: z.enum(['queued', 'running']).optional(),
})

/** Throws `run_not_found`, and `invalid_transition` for a run that has ended. */
export const beginPipeline = async (engine: Engine, input: PipelineInput): Promise<string> => {
  checkGiven(Pipeline, input, 'the pipeline')
  const id = input.pipeline_id ?? randomUUID()
  const status = await statusOf(engine, { kind: 'run', id: input.run_id })
  refuseEnded({ id: input.run_id, status }, 'no pipeline can begin in it')
  await refuseTaken(engine, 'pipelines', 'pipeline_id', id)
  await engine.run(
    `INSERT INTO ${written('pipelines')} (pipeline_id, run_id, name, expanded_config, generator_choices, dataset_name, dataset_hash, status)
     VALUES ($id, $run, $name, $config, $choices, $dataset, $hash, $status)`,
    {
      id,
      run: input.run_id,
      name: input.name,
      config: jsonOrNull(input.expanded_config),
      choices: jsonOrNull(input.generator_choices),
      dataset: input.dataset_name,
      hash: input.dataset_hash ?? null,
      status: input.status ?? 'running',
    },
  )
  return id
}

export const refuseTaken = async (engine: Engine, table: string, key: string, id: string): Promise<void> => {
  const found = await engine.connection.runAndReadAll(`SELECT 1 FROM ${seen(table)} WHERE ${key} = $id LIMIT 1`, { id })
  if (found.currentRowCount === 0) return
  throw new StorageError('validation', `There is a ${table.slice(0, -1)} ${id.slice(0, 200)} already. Nothing was changed.`, {
    ids: [id],
    hint: 'Choose another id, or leave it out: then one is made.',
  })
}
