import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { type LifecycleEvent, type LifecycleState, lifecycleStates } from '../lifecycle/lifecycle-table.ts'
import {
  isTerminal,
  type LifecycleSubject,
  readLifecycleState,
  refusal,
  requireLifecycleState,
  transition,
} from '../lifecycle/transition.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { maybeDuration, maybeScore, maybeStoredText, maybeText, optionsOf } from '../options/option-schemas.ts'
import { isJson, jsonOrNull, notJson } from './json-text.ts'
import { absent } from './refuse-absent.ts'
import { seen, written } from './store-session.ts'
import { inTransaction } from './store-transaction.ts'

/** What is noted with a change of status. */
export interface RunOutcome {
  readonly summary?: Readonly<Record<string, unknown>> | undefined
  readonly error?: string | undefined
}

/** A `retry` takes away what the attempt before had noted. */
export interface PipelineOutcome {
  /** Null takes away what was noted; left out, it stays. */
  readonly best_val?: number | null | undefined
  readonly best_test?: number | null | undefined
  readonly metric?: string | undefined
  readonly duration_ms?: number | undefined
  readonly error?: string | undefined
}

const RunEnd = optionsOf<RunOutcome>({
  summary: z.record(z.string(), z.unknown()).refine(isJson, notJson).optional(),
  error: maybeText,
})
const PipelineEnd = optionsOf<PipelineOutcome>({
  best_val: maybeScore,
  best_test: maybeScore,
  metric: maybeStoredText,
  duration_ms: maybeDuration,
  error: maybeText,
})

/**
 * Moves a run along the table of states. Throws `run_not_found`, `invalid_transition`, also for a run that would be completed before its
 * pipelines have ended; an unknown status is never overwritten. With a run that is cancelled its pipelines are that have not ended.
 */
export const changeRun = async (engine: Engine, id: string, event: LifecycleEvent, outcome: RunOutcome = {}): Promise<LifecycleState> => {
  checkGiven(RunEnd, outcome, 'the outcome')
  const to = await nextState(engine, { kind: 'run', id }, event)
  if (to === 'completed') await refuseUnended(engine, id)
  const error = outcome.error ?? null
  await inTransaction(engine, async () => {
    await engine.run(
      `UPDATE ${written('runs')} SET status = $to, completed_at = ${endOf(to)}, summary = ${notedOf('$summary', 'summary', to)},
         error = ${notedOf('$error', 'error', to)}
       WHERE run_id = $id`,
      { id, to, summary: jsonOrNull(outcome.summary), error },
    )
    if (to === 'cancelled') await cancelPipelines(engine, id, error)
  })
  return to
}

/** Those that run count as paused with their run, and may be cancelled like it. */
const cancelPipelines = async (engine: Engine, run: string, error: string | null): Promise<void> => {
  await engine.run(
    `UPDATE ${written('pipelines')} SET status = 'cancelled', completed_at = ${endOf('cancelled')}, error = ${notedOf('$error', 'error', 'cancelled')}
     WHERE run_id = $run AND status IN (${unended})`,
    { run, error },
  )
}

/**
 * Moves a pipeline along the table of states. Throws `pipeline_not_found`, `invalid_transition`, also for a pipeline that would go on in a
 * run that has ended.
 */
export const changePipeline = async (
  engine: Engine,
  id: string,
  event: LifecycleEvent,
  outcome: PipelineOutcome = {},
): Promise<LifecycleState> => {
  checkGiven(PipelineEnd, outcome, 'the outcome')
  const to = await nextState(engine, { kind: 'pipeline', id }, event)
  if (!hasEnded(to)) await refuseGoingOn(engine, id, event)
  await engine.run(
    `UPDATE ${written('pipelines')} SET status = $to, completed_at = ${endOf(to)},
       best_val = ${notedOf('$val::DOUBLE', 'best_val', to, outcome.best_val)},
       best_test = ${notedOf('$test::DOUBLE', 'best_test', to, outcome.best_test)}, metric = ${notedOf('$metric', 'metric', to)},
       duration_ms = ${notedOf('$ms::INTEGER', 'duration_ms', to)}, error = ${notedOf('$error', 'error', to)} WHERE pipeline_id = $id`,
    {
      id,
      to,
      val: outcome.best_val ?? null,
      test: outcome.best_test ?? null,
      metric: outcome.metric ?? null,
      ms: outcome.duration_ms === undefined ? null : Math.round(outcome.duration_ms),
      error: outcome.error ?? null,
    },
  )
  return to
}

/** Completed, failed and cancelled have an end; what is queued again has none. */
export const hasEnded = (state: LifecycleState): boolean => isTerminal(state) || state === 'failed'
const unended = lifecycleStates
  .filter((state) => !hasEnded(state))
  .map((state) => `'${state}'`)
  .join(', ')
const endOf = (to: LifecycleState): string => (hasEnded(to) ? 'current_localtimestamp()' : 'NULL')
/** What is left out stays as it is; a null takes it away, and so does a new beginning: what was noted is of the attempt before. */
const notedOf = (parameter: string, column: string, to: LifecycleState, given?: unknown): string =>
  `coalesce(${parameter}, ${to === 'queued' || given === null ? 'NULL' : column})`

const refuseUnended = async (engine: Engine, run: string): Promise<void> => {
  const pipelines = await engine.rows(
    z.object({ id: z.string(), status: z.string() }),
    `SELECT pipeline_id AS id, status FROM ${seen('pipelines')} WHERE run_id = $run AND status IN (${unended}) ORDER BY created_at, pipeline_id`,
    { run },
  )
  const [first] = pipelines
  if (first === undefined) return
  const which = pipelines.length === 1 ? 'its pipeline has' : `${pipelines.length} of its pipelines have`
  throw new StorageError(
    'invalid_transition',
    `The run ${run} cannot be completed: ${which} not ended (${first.id} is ${first.status}). Nothing was changed.`,
    { ids: pipelines.slice(0, 100).map(({ id }) => id), hint: 'Complete, fail or cancel its pipelines first.' },
  )
}

/** A pipeline whose run is not in the store has none that could have ended. */
const refuseGoingOn = async (engine: Engine, pipeline: string, event: LifecycleEvent): Promise<void> => {
  const [run] = await engine.rows(
    z.object({ id: z.string(), status: z.string().nullable() }),
    `SELECT run_id AS id, r.status FROM ${seen('runs')} r JOIN ${seen('pipelines')} p USING (run_id) WHERE pipeline_id = $pipeline`,
    { pipeline },
  )
  if (run !== undefined) refuseEnded(run, `"${event}" is not possible for its pipeline ${pipeline}`)
}

/** Throws `invalid_transition` for a run that has ended: `what` says what cannot happen in it any more. */
export const refuseEnded = ({ id, status }: { id: string; status: string | null }, what: string): void => {
  const state = readLifecycleState(status ?? '')
  if (state !== undefined && hasEnded(state)) throw refusal({ kind: 'run', id }, state, what)
}

const nextState = async (engine: Engine, subject: LifecycleSubject, event: LifecycleEvent): Promise<LifecycleState> =>
  transition(subject, requireLifecycleState(subject, (await statusOf(engine, subject)) ?? ''), event)

/** Throws `run_not_found`, `pipeline_not_found`. */
export const statusOf = async (engine: Engine, { kind, id }: LifecycleSubject): Promise<string | null> => {
  checkText(`${kind}_id`, id)
  const table = kind === 'run' ? 'runs' : 'pipelines'
  const [row] = await engine.rows(z.object({ status: z.string().nullable() }), `SELECT status FROM ${seen(table)} WHERE ${kind}_id = $id`, {
    id,
  })
  if (row === undefined) throw absent(table, id)
  return row.status
}
