import { StorageError } from '../errors.ts'
import type { RowBlock } from './column-block.ts'
import type { GroupDigest } from './group-digest.ts'
import type { DatasetFigures, ReaderAnswer, ReaderRequest } from './reader-messages.ts'
import { keepThread, takeThread } from './spare-thread.ts'

/** Bytes; a decoder that has grown beyond is given up instead of kept. */
const mostKept = 64 * 2 ** 20

/**
 * Reads Parquet files with parquet-wasm in a thread of its own, one at a time, row group by row group. Requests are answered in order;
 * asking for the next row group before using the last keeps both threads busy. Fails with `arrays_corrupt` when a file cannot be decoded.
 */
export class ParquetReader {
  readonly #worker = takeThread()
  readonly #waiting: { resolve: (answer: ReaderAnswer) => void; reject: (error: Error) => void }[] = []
  readonly #onMessage = (answer: ReaderAnswer) => this.#waiting.shift()?.resolve(answer)
  readonly #onError = (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error)))
  readonly #onExit = () => this.#fail(new Error('the reading thread ended'))
  #path = ''
  #failure: Error | undefined
  #isDone = false

  constructor() {
    this.#worker.on('message', this.#onMessage).on('error', this.#onError).on('exit', this.#onExit)
  }

  /** Rows of `skippedIds` are digested, but do not count for their dataset. */
  async open(path: string, skippedIds: readonly string[] = []): Promise<{ rowGroups: number }> {
    this.#path = path
    const answer = await this.#ask({ kind: 'open', path, skippedIds })
    return answer.kind === 'opened' ? answer : this.#unexpected(answer)
  }

  /** Checksums by column, and the values themselves unless they are not wanted. */
  async rowGroup(index: number, withValues = true): Promise<{ block: RowBlock; checksums: ReadonlyMap<string, string> }> {
    const answer = await this.#ask({ kind: 'row-group', index, withValues })
    return answer.kind === 'row-group' ? answer : this.#unexpected(answer)
  }

  /** What the row group holds, as digests; its rows count for those of `finish`. */
  async digest(index: number): Promise<GroupDigest> {
    const answer = await this.#ask({ kind: 'digest', index })
    return answer.kind === 'digest' ? answer.digest : this.#unexpected(answer)
  }

  /** Closes the file; digests per dataset over all row groups that were digested. */
  async finish(): Promise<ReadonlyMap<string, DatasetFigures>> {
    const answer = await this.#ask({ kind: 'finish' })
    return answer.kind === 'finished' ? answer.datasets : this.#unexpected(answer)
  }

  /** After everything was read and found right: the thread is kept for the next reader. Otherwise `close` ends it. */
  async done(): Promise<void> {
    const answer = await this.#ask({ kind: 'release' })
    if (answer.kind !== 'released') this.#unexpected(answer)
    if (answer.memory > mostKept) return
    this.#failure = new Error('the reader is closed')
    this.#isDone = true
    this.#worker.off('message', this.#onMessage).off('error', this.#onError).off('exit', this.#onExit)
    await keepThread(this.#worker)
  }

  /** Ends the thread, which may be in the middle of something or damaged by what it has read; nothing after `done`. Its file is closed then. */
  async close(): Promise<void> {
    // Also one that ends by itself: its file is open until it has.
    if (!this.#isDone) await this.#worker.terminate()
  }

  #ask(request: ReaderRequest): Promise<ReaderAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#corrupt(this.#failure.message))
  }

  #unexpected(answer: ReaderAnswer): never {
    throw this.#corrupt(answer.kind === 'failed' ? answer.message : `unexpected answer ${answer.kind}`)
  }

  #corrupt(cause: string): StorageError {
    return new StorageError('arrays_corrupt', `${this.#path.split(/[/\\]/).at(-1)} cannot be decoded: ${cause.slice(0, 300)}.`, {
      path: this.#path,
      hint: 'Restore the file from a backup.',
    })
  }
}
