import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { maybeDuration, maybeStoredText, maybeText, optionsOf, storedText } from '../options/option-schemas.ts'
import { isJson, jsonOrNull, notJson } from './json-text.ts'
import { refuseAbsent } from './refuse-absent.ts'
import { columnsFor, LogRecord } from './store-rows.ts'
import { seen, written } from './store-session.ts'

export interface LogInput {
  readonly pipeline_id: string
  readonly step_idx: number
  readonly event: string
  readonly operator_class?: string | undefined
  readonly duration_ms?: number | undefined
  readonly message?: string | undefined
  readonly details?: unknown
  /** Default `info`. */
  readonly level?: string | undefined
}

const Log = optionsOf<LogInput>({
  pipeline_id: storedText,
  step_idx: z.int32(),
  event: storedText,
  operator_class: maybeStoredText,
  duration_ms: maybeDuration,
  message: maybeText,
  details: z.unknown().refine(isJson, notJson).optional(),
  level: maybeStoredText,
})

export const logStep = async (engine: Engine, input: LogInput): Promise<string> => {
  checkGiven(Log, input, 'the log line')
  await refuseAbsent(engine, 'pipelines', input.pipeline_id)
  const id = randomUUID()
  await engine.run(
    `INSERT INTO ${written('logs')} (log_id, pipeline_id, step_idx, operator_class, event, duration_ms, message, details, level)
     VALUES ($id, $pipeline, $step, $operator, $event, $ms, $message, $details, $level)`,
    {
      id,
      pipeline: input.pipeline_id,
      step: input.step_idx,
      operator: input.operator_class ?? null,
      event: input.event,
      ms: input.duration_ms === undefined ? null : Math.round(input.duration_ms),
      message: input.message ?? null,
      details: jsonOrNull(input.details),
      level: input.level ?? 'info',
    },
  )
  return id
}

/** In the order in which they were written. */
export const runLogs = async (engine: Engine, runId: string): Promise<LogRecord[]> => {
  checkText('run_id', runId)
  return engine.rows(
    LogRecord,
    `SELECT ${columnsFor(LogRecord, 'l.')} FROM ${seen('logs')} l JOIN ${seen('pipelines')} p USING (pipeline_id)
     WHERE p.run_id = $runId ORDER BY l.created_at, l.log_id`,
    { runId },
  )
}

export const pipelineLogs = async (engine: Engine, pipelineId: string): Promise<LogRecord[]> => {
  checkText('pipeline_id', pipelineId)
  return engine.rows(
    LogRecord,
    `SELECT ${columnsFor(LogRecord)} FROM ${seen('logs')} WHERE pipeline_id = $pipelineId ORDER BY created_at, log_id`,
    {
      pipelineId,
    },
  )
}
