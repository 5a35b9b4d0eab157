import { type ChildProcess, fork } from 'node:child_process'
import { StorageError } from '@nirs-workspace/storage'
import { FromReader, type ReaderOrder } from '../children/reader-messages.ts'
import { fromWireError } from '../children/wire-error.ts'
import type { Log } from '../log.ts'

const entry = new URL('../children/read-arrays.ts', import.meta.url)
const deadlineMs = 30_000

interface Waiting {
  child: ChildProcess
  resolve: (chunk: Uint8Array | undefined) => void
  reject: (error: unknown) => void
}

/**
 * The process in which array files are decoded. It lives long to keep its engine warm; it is started anew after it died (a damaged file)
 * or was stopped (a read over its deadline), and whoever waited gets `reader_failed`.
 */
export class ArrayReaderProcess {
  readonly #log: Log
  #child: ChildProcess | undefined
  #nextId = 1
  #closed = false
  readonly #waiting = new Map<number, Waiting>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Chunks of the answer as they are asked for; the process works on no further chunk than the one awaited. */
  async *read(order: ReaderOrder, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const id = this.#nextId
    this.#nextId += 1
    const child = this.#running()
    let message: object = { type: 'start', id, order }
    try {
      while (true) {
        const chunk = await this.#ask(child, id, message, signal)
        if (chunk === undefined) return
        yield chunk
        message = { type: 'next', id }
      }
    } finally {
      if (child.connected && !child.killed) child.send({ type: 'stop', id })
    }
  }

  /** Id of the process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process ahead of the first read. */
  warmUp(): void {
    this.#running()
  }

  /** For good: whoever asks later is refused. */
  close(): void {
    this.#closed = true
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #ask(child: ChildProcess, id: number, message: object, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(givenUp())
      const timer = setTimeout(() => {
        this.#log.error('array reader over its deadline', { id })
        child.kill('SIGKILL')
        this.#giveUp(child, overDeadline())
      }, deadlineMs)
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
        this.#waiting.delete(id)
      }
      const done =
        <T>(action: (value: T) => void) =>
        (value: T) => {
          settle()
          action(value)
        }
      this.#waiting.set(id, { child, resolve: done(resolve), reject: done(reject) })
      signal?.addEventListener('abort', stop, { once: true })
      // Nothing was asked, so no answer will come that ends the wait for it.
      if (signal?.aborted === true) this.#waiting.get(id)?.reject(givenUp())
      else if (child.connected) child.send(message)
      else this.#waiting.get(id)?.reject(readerFailed())
    })
  }

  #running(): ChildProcess {
    if (this.#closed) throw new StorageError('cancelled', 'The server is stopping.')
    if (this.#child?.connected === true) return this.#child
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced', execArgv: [] })
    this.#child = child
    child.on('message', (raw) => this.#receive(raw))
    child.on('error', (error) => this.#log.error('array reader failed', { error }))
    child.on('exit', (code, signal) => this.#lost(child, code, signal))
    return child
  }

  #receive(raw: unknown): void {
    const { data: message, error } = FromReader.safeParse(raw)
    if (message === undefined) {
      this.#log.error('the array reader said something unknown', { error })
      return
    }
    const waiting = this.#waiting.get(message.id)
    if (message.type === 'chunk') waiting?.resolve(message.data)
    else if (message.type === 'end') waiting?.resolve(undefined)
    else waiting?.reject(fromWireError(message.error))
  }

  #lost(child: ChildProcess, code: number | null, signal: string | null): void {
    if (this.#child === child) this.#log.error('array reader stopped', { code, signal })
    this.#giveUp(child, readerFailed())
  }

  /** Whoever waits for this process is told why it answers no more; the next read starts another. */
  #giveUp(child: ChildProcess, error: StorageError): void {
    if (this.#child === child) this.#child = undefined
    for (const waiting of [...this.#waiting.values()]) if (waiting.child === child) waiting.reject(error)
  }
}

const givenUp = () => new StorageError('cancelled', 'The request was given up.')

const readerFailed = () =>
  new StorageError('reader_failed', 'The process that reads arrays stopped over this request, most likely over a damaged file.', {
    hint: 'Check the workspace with "verify".',
  })

const overDeadline = () =>
  new StorageError(
    'reader_failed',
    `A read of arrays took longer than ${deadlineMs / 1000} seconds, so the process that reads them was stopped. Nothing was changed.`,
    { hint: 'Try again; the disk or the network that the files are on may be slow.' },
  )
