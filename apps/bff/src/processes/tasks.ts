import { fork } from 'node:child_process'
import { StorageError } from '@nirs-workspace/storage'
import type * as z from 'zod'
import { type Task, TaskAnswer } from '../children/task-messages.ts'
import { fromWireError } from '../children/wire-error.ts'
import { Turns } from './turns.ts'

const entry = new URL('../children/run-task.ts', import.meta.url)
const deadlineMs = 600_000

/**
 * Does single pieces of work on workspaces, each in a process of its own. Stores are opened there only, so a damaged file can end that
 * process but not this one, and no descriptor of ours ever touches a store.
 */
export class Tasks {
  /** Each takes a core and up to a gigabyte. */
  readonly #turns = new Turns(2)
  readonly #closing = new AbortController()

  /** Answers the result of the work, or throws what the work threw. */
  run<S extends z.ZodType>(task: Task, answer: S, signal?: AbortSignal): Promise<z.output<S>> {
    const stop = AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])])
    return this.#turns.run(() => runNow(task, answer, stop), stop)
  }

  /** Ends what is at work and what waits. */
  close(): void {
    this.#closing.abort()
  }
}

const runNow = <S extends z.ZodType>(task: Task, answer: S, stop: AbortSignal): Promise<z.output<S>> =>
  new Promise((resolve, reject) => {
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced', execArgv: [] })
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      errors = (errors + chunk).slice(-4000)
    })
    const kill = () => child.kill('SIGKILL')
    const timer = setTimeout(() => {
      reject(overDeadline(task))
      kill()
    }, deadlineMs)
    stop.addEventListener('abort', kill, { once: true })
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
      stop.removeEventListener('abort', kill)
      reject(diedError(task, stop, { signal, reason: `exit code ${code}, signal ${signal}: ${errors}` }))
    })
    child.send(task)
  })

const overDeadline = ({ task, path }: Task): StorageError => {
  const limit = `longer than ${deadlineMs / 60_000} minutes and was stopped`
  return new StorageError(
    'timed_out',
    task === 'delete_backup'
      ? `Deleting the backup took ${limit}. What it has not deleted is still there.`
      : `Reading the workspace took ${limit}. Nothing was changed.`,
    { path, hint: 'Try again; the disk or the network that the workspace is on may be slow.' },
  )
}

/** A crash of the engine ends a process by a signal; anything else is a mistake of ours and stays one. */
const diedError = (task: Task, stop: AbortSignal, { signal, reason }: { signal: NodeJS.Signals | null; reason: string }): Error => {
  if (stop.aborted) return new StorageError('cancelled', 'The request was given up.')
  if (signal === null) return new Error(`The process for ${task.task} ended without an answer: ${reason}`)
  return new StorageError(
    'store_unreadable',
    'The process that read the workspace stopped, most likely over a damaged file. Nothing was changed.',
    { path: task.path, hint: 'Check the workspace with "verify", or restore the store from a backup.' },
    new Error(reason),
  )
}
