import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import type { LifecycleEvent, LifecycleState } from '../lifecycle/lifecycle-table.ts'
import { isTerminal, requireLifecycleState, transition } from '../lifecycle/transition.ts'
import { jsonOrNull } from './json-text.ts'
import { absent } from './refuse-absent.ts'
import { seen, written } from './store-session.ts'

/** What is noted with a change of status. */
export interface RunOutcome {
  readonly summary?: Readonly<Record<string, unknown>> | undefined
  readonly error?: string | undefined
}

export interface PipelineOutcome {
  readonly best_val?: number | null | undefined
  readonly best_test?: number | null | undefined
  readonly metric?: string | undefined
  readonly duration_ms?: number | undefined
  readonly error?: string | undefined
}

/** Moves a run along the table of states. Throws `run_not_found`, `invalid_transition`; an unknown status is never overwritten. */
export const changeRun = async (engine: Engine, id: string, event: LifecycleEvent, outcome: RunOutcome = {}): Promise<LifecycleState> => {
  const to = await nextState(engine, { kind: 'run', id }, event)
  await engine.run(
    `UPDATE ${written('runs')} SET status = $to, completed_at = ${endOf(to)}, summary = coalesce($summary, summary), error = ${errorOf(to)}
     WHERE run_id = $id`,
    { id, to, summary: jsonOrNull(outcome.summary), error: outcome.error ?? null },
  )
  return to
}

export const changePipeline = async (
  engine: Engine,
  id: string,
  event: LifecycleEvent,
  outcome: PipelineOutcome = {},
): Promise<LifecycleState> => {
  const to = await nextState(engine, { kind: 'pipeline', id }, event)
  await engine.run(
    `UPDATE ${written('pipelines')} SET status = $to, completed_at = ${endOf(to)}, best_val = coalesce($val::DOUBLE, best_val),
       best_test = coalesce($test::DOUBLE, best_test), metric = coalesce($metric, metric), duration_ms = coalesce($ms::INTEGER, duration_ms),
       error = ${errorOf(to)} WHERE pipeline_id = $id`,
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

/** Completed, failed and cancelled have an end; what is queued again has none, nor an error. */
const endOf = (to: LifecycleState): string => (isTerminal(to) || to === 'failed' ? 'current_localtimestamp()' : 'NULL')
const errorOf = (to: LifecycleState): string => (to === 'queued' ? 'coalesce($error, NULL)' : 'coalesce($error, error)')

const nextState = async (
  engine: Engine,
  subject: { kind: 'run' | 'pipeline'; id: string },
  event: LifecycleEvent,
): Promise<LifecycleState> => {
  const table = subject.kind === 'run' ? 'runs' : 'pipelines'
  const [row] = await engine.rows(
    z.object({ status: z.string().nullable() }),
    `SELECT status FROM ${seen(table)} WHERE ${subject.kind}_id = $id`,
    { id: subject.id },
  )
  if (row === undefined) throw absent(table, subject.id)
  return transition(subject, requireLifecycleState(subject, row.status ?? ''), event)
}
