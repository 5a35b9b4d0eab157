import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { SqlResult } from '@nirs-workspace/types'
import type { ArrayPlaces } from '../arrays/array-reader.ts'
import { StorageError } from '../errors.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { maybeCount, maybeSome, maybeWait, optionsOf, signal } from '../options/option-schemas.ts'
import { Places, QueryAnswer, type QueryRequest } from './query-messages.ts'

export interface SqlLimits {
  /** Milliseconds from the start of the process that runs the query. Default 5 000, at most 2 147 483 647. */
  readonly deadline?: number | undefined
  /** Megabytes for the engine; the process around it has a reserve of its own. Default 512. */
  readonly memoryMb?: number | undefined
  /** Rows after which the answer ends, truncated. Default 10 000. */
  readonly rows?: number | undefined
  /** Bytes of the answer, likewise. Default 8 MB. */
  readonly bytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const Limits = optionsOf<SqlLimits>({ deadline: maybeWait, memoryMb: maybeSome, rows: maybeCount, bytes: maybeCount, signal })

const longestText = 20_000
const entry = fileURLToPath(new URL('./query-child.ts', import.meta.url))

/**
 * Runs one reading statement over the tables of a catalog (runs, pipelines, chains, predictions, artifacts, logs, projects) and the view
 * chain_summary, in a process of its own that ends with it. With `places` there is the view samples too: a statement that names it opens what
 * holds arrays, for reading, after comparing all of it with its checksums. That process can open no other file and change nothing. Throws
 * `sql_not_allowed`, `sql_multi`, `sql_error`, `sql_timeout`, `sql_memory`, or the reason of the signal; of samples `arrays_corrupt`,
 * `arrays_missing`, `store_locked`.
 */
export const querySql = async (
  catalogPath: string,
  sql: string,
  limits: SqlLimits = {},
  places: ArrayPlaces | null = null,
): Promise<SqlResult> => {
  checkText('sql', sql)
  checkGiven(Limits, limits)
  checkGiven(Places.nullable(), places, 'the places')
  if (Buffer.byteLength(sql) > longestText)
    throw new StorageError('sql_not_allowed', `A statement of more than ${longestText} bytes is not run.`)
  limits.signal?.throwIfAborted()
  const { memoryMb = 512, rows = 10_000, bytes = 8e6, deadline = 5000 } = limits
  const answer = await ask({ catalog: catalogPath, sql, places, memory_mb: memoryMb, rows, bytes }, deadline, limits.signal)
  if ('result' in answer) return answer.result
  const { code, message, hint } = answer.error
  throw new StorageError(code, message, hint === undefined ? {} : { hint })
}

/** The only thing of this process's surroundings that the other one is told: where it finds its code already compiled. */
const compiledCode = (): NodeJS.ProcessEnv => {
  const folder = process.env.NODE_COMPILE_CACHE
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
}

const ask = async (request: QueryRequest, deadline: number, signal: AbortSignal | undefined): Promise<QueryAnswer> => {
  const child = spawn(process.execPath, ['--no-warnings', '--max-old-space-size=256', entry], {
    env: compiledCode(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, deadline)
  const stop = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', stop)
  const ended = new Promise<void>((resolve, reject) => child.once('close', () => resolve()).once('error', reject))
  try {
    // A child that dies before it has read everything closes the pipe: its end says what happened, not the pipe.
    child.stdin.on('error', () => undefined).end(JSON.stringify(request))
    const [output] = await Promise.all([text(child.stdout), ended])
    signal?.throwIfAborted()
    if (late)
      throw new StorageError('sql_timeout', `The query took longer than ${deadline / 1000} s and was stopped.`, {
        hint: 'Ask for less, or filter first.',
      })
    if (output === '')
      throw new StorageError('sql_memory', 'The process that ran the query broke down; most often it needed too much memory.')
    return QueryAnswer.parse(JSON.parse(output))
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    stop()
  }
}
