import { fork } from 'node:child_process'
import { StorageError } from '@nirs-workspace/storage'
import type * as z from 'zod'
import { type Task, TaskAnswer } from '../children/task-messages.ts'
import { fromWireError } from '../children/wire-error.ts'
import { Turns } from './turns.ts'

const entry = new URL('../children/run-task.ts', import.meta.url)

export interface TaskOptions {
  signal?: AbortSignal | undefined
  deadlineMs?: number
}

/**
 * Does one piece of work on a workspace in a process of its own and answers its result. Stores are opened there only, so a damaged
 * file can end that process but not this one, and no descriptor of ours ever touches a store. Throws what the work threw.
 */
export const runTask = <S extends z.ZodType>(task: Task, answer: S, options: TaskOptions = {}): Promise<z.output<S>> =>
  turns.run(() => runNow(task, answer, options))

/** Each takes a core and up to a gigabyte. */
const turns = new Turns(2)

const runNow = <S extends z.ZodType>(task: Task, answer: S, options: TaskOptions): Promise<z.output<S>> =>
  new Promise((resolve, reject) => {
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced', execArgv: [] })
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      errors = (errors + chunk).slice(-4000)
    })
    const kill = () => child.kill('SIGKILL')
    const timer = setTimeout(kill, options.deadlineMs ?? 600_000)
    options.signal?.addEventListener('abort', kill, { once: true })
    child.on('message', (raw) => {
      try {
        const message = TaskAnswer.parse(raw)
        if (message.type === 'error') reject(fromWireError(message.error))
        else resolve(answer.parse(message.value))
      } catch (error) {
        reject(error)
      }
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', kill)
      reject(diedError(task, options.signal, { signal, reason: `exit code ${code}, signal ${signal}: ${errors}` }))
    })
    child.send(task)
  })

/** A crash of the engine ends a process by a signal; anything else is a mistake of ours and stays one. */
const diedError = (
  task: Task,
  given: AbortSignal | undefined,
  { signal, reason }: { signal: NodeJS.Signals | null; reason: string },
): Error => {
  if (given?.aborted === true) return new StorageError('cancelled', 'The request was given up.')
  if (signal === null) return new Error(`The process for ${task.task} ended without an answer: ${reason}`)
  return new StorageError(
    'store_unreadable',
    'The process that read the workspace stopped, most likely over a damaged file. Nothing was changed.',
    { path: task.path, hint: 'Check the workspace with "verify", or restore the store from a backup.' },
    new Error(reason),
  )
}
