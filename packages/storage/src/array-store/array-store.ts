import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { ArrayRow } from '../arrays/array-source.ts'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { acquireWorkspaceLock, type WorkspaceLock } from '../files/workspace-lock.ts'
import { toWriteError } from '../files/write-error.ts'
import { checkGiven, checkSet, checkText, checkTexts } from '../options/check-options.ts'
import { callback, flag, optionsOf, signal, workShape, lock as workspaceLock } from '../options/option-schemas.ts'
import { appendFile } from './append-file.ts'
import type { AppendContext } from './append-rows.ts'
import { ArrayFolder } from './array-folder.ts'
import type { ArrayOperations, ArrayStoreOptions, ArrayWriter, CopyRowsOptions, WriterOptions } from './array-operations.ts'
import type { ArrayRecord, StoredRecord } from './array-record.ts'
import type { ArrayStats, CompactOptions, CompactReport, IntegrityOptions, IntegrityReport } from './array-reports.ts'
import { arrayStats } from './array-stats.ts'
import { StreamingWriter } from './array-writer.ts'
import { compactFiles } from './compact-files.ts'
import { copyRows } from './copy-rows.ts'
import { listDatasets } from './dataset-files.ts'
import { deleteBatch } from './delete-batch.ts'
import { deleteDataset } from './delete-dataset.ts'
import { dropArrays } from './drop-arrays.ts'
import { checkIntegrity } from './integrity-check.ts'
import { LazyEngine, withLazyEngine } from './lazy-engine.ts'
import { datasetRecords, readRows } from './read-rows.ts'
import { refuseFile, requireFolder } from './require-folder.ts'
import { saveBatch } from './save-batch.ts'
import { settleLeftJob } from './settle-left-job.ts'
import { removeTombstones } from './tombstone-file.ts'

const StoreOptions = optionsOf<ArrayStoreOptions>({ create: flag, lock: workspaceLock, signal, contextsOf: callback })
const WriterChoice = optionsOf<WriterOptions>({ signal })
const CompactChoice = optionsOf<CompactOptions>({ ...workShape, isKnown: callback, isLeft: callback })
const IntegrityChoice = optionsOf<IntegrityOptions>({
  ...workShape,
  expectedIds: z.custom((value) => value instanceof Set, 'expected a Set').optional(),
  deep: flag,
})

/**
 * The arrays of a workspace: one Parquet file per dataset under arrays/, and the list of removed predictions. Reading needs no lock and
 * changes nothing. Every change holds the workspace lock, first puts in order what a job that died has left, is durable when it returns, and
 * leaves each file whole whatever happens.
 */
export class ArrayStore implements ArrayOperations {
  readonly root: string
  readonly #folder: ArrayFolder
  readonly #options: ArrayStoreOptions
  #turn: Promise<unknown> = Promise.resolve()
  #lock: Promise<WorkspaceLock> | undefined
  #holders = 0

  private constructor(root: string, options: ArrayStoreOptions) {
    this.root = root
    this.#folder = new ArrayFolder(root)
    this.#options = options
  }

  /** `root` is the workspace folder. Opens and changes nothing yet; what is called then throws `workspace_not_found` when it is not there. */
  static open(root: string, options: ArrayStoreOptions = {}): ArrayStore {
    checkText('root', root)
    checkGiven(StoreOptions, options)
    return new ArrayStore(root, options)
  }

  async saveBatch(records: readonly ArrayRecord[]): Promise<number> {
    checkGiven(z.array(z.unknown()), records, 'the records')
    if (records.length === 0) return 0
    return this.#change('save-arrays', (context) => saveBatch(context, records))
  }

  openWriter(options: WriterOptions = {}): ArrayWriter {
    checkGiven(WriterChoice, options)
    const engine = new LazyEngine()
    const signal = options.signal ?? this.#options.signal
    return new StreamingWriter({
      signal,
      begin: async () => {
        await this.#hold('save-arrays')
        try {
          await this.#folder.prepare()
        } catch (error) {
          await this.#release()
          throw error
        }
        return { ...this.#context(engine), signal }
      },
      change: (work) => this.#change('save-arrays', work),
      end: async () => {
        await engine.close()
        await this.#release()
      },
    })
  }

  async loadBatch(ids: readonly string[], datasetName?: string): Promise<Map<string, ArrayRow>> {
    checkTexts('ids', ids)
    checkName(datasetName)
    return this.#read(async (engine) => readRows(this.#folder, engine, new Set(ids), await this.#removed(), datasetName))
  }

  async loadSingle(id: string, datasetName?: string): Promise<ArrayRow | null> {
    return (await this.loadBatch([id], datasetName)).get(id) ?? null
  }

  async *loadDataset(name: string): AsyncGenerator<StoredRecord[]> {
    checkText('name', name)
    await this.#requireFolder()
    const engine = new LazyEngine()
    try {
      yield* datasetRecords(this.#folder, engine, name, await this.#removed())
    } finally {
      await engine.close()
    }
  }

  async deleteBatch(ids: ReadonlySet<string>, datasetName?: string): Promise<number> {
    checkSet('ids', ids)
    checkName(datasetName)
    return this.#change('delete-arrays', (context) => deleteBatch(context, ids, datasetName))
  }

  async restoreBatch(ids: ReadonlySet<string>): Promise<number> {
    checkSet('ids', ids)
    return this.#change('restore-arrays', (context) => removeTombstones(context.folder, ids))
  }

  async dropArrays(ids: ReadonlySet<string>): Promise<number> {
    checkSet('ids', ids)
    return this.#change('delete-arrays', (context) => dropArrays(context, ids))
  }

  async deleteDataset(name: string, ids?: ReadonlySet<string>): Promise<boolean> {
    checkText('name', name)
    if (ids !== undefined) checkSet('ids', ids)
    return this.#change('delete-arrays', (context) => deleteDataset(context, name, ids))
  }

  async compact(datasetName?: string, options: CompactOptions = {}): Promise<CompactReport> {
    checkName(datasetName)
    checkGiven(CompactChoice, options)
    return this.#change('compact-arrays', (context) => compactFiles(context, datasetName, options))
  }

  async copyRows(ids: ReadonlySet<string>, targetPath: string, options: CopyRowsOptions = {}): Promise<number> {
    checkSet('ids', ids)
    checkText('targetPath', targetPath)
    return this.#read((engine) => copyRows(this.#context(engine), ids, targetPath, options)).catch((error: unknown) => {
      throw toWriteError(error)
    })
  }

  async appendFile(path: string, ids?: ReadonlySet<string>): Promise<number> {
    checkText('path', path)
    if (ids !== undefined) checkSet('ids', ids)
    return this.#change('save-arrays', (context) => appendFile(context, path, ids))
  }

  stats(): Promise<ArrayStats> {
    return this.#read((engine) => arrayStats(this.#folder, engine))
  }

  async integrityCheck(options: IntegrityOptions = {}): Promise<IntegrityReport> {
    checkGiven(IntegrityChoice, options)
    return this.#read((engine) => checkIntegrity(this.#folder, engine, options))
  }

  listDatasets(): Promise<string[]> {
    return this.#read((engine) => listDatasets(this.#folder, engine))
  }

  // A damaged list does not stop a read: the caller's ids come from the metadata, which no longer knows removed ones.
  async #removed(): Promise<{ has(id: string): boolean }> {
    return (await readTombstonesIfSound(this.#folder.path)) ?? new Set<string>()
  }

  async #read<T>(work: (engine: LazyEngine) => Promise<T>): Promise<T> {
    await this.#requireFolder()
    return withLazyEngine(work)
  }

  /** Who holds the lock has the folder. */
  async #requireFolder(): Promise<void> {
    if (this.#options.lock === undefined) await (this.#options.create === true ? refuseFile : requireFolder)(this.root)
  }

  #context(engine: LazyEngine): AppendContext {
    const { signal, contextsOf } = this.#options
    return { folder: this.#folder, engine, signal, contextsOf }
  }

  /** One change after the other, each under the lock. */
  #change<T>(kind: string, work: (context: AppendContext) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      this.#options.signal?.throwIfAborted()
      await this.#hold(kind)
      try {
        await this.#folder.prepare()
        return await withLazyEngine((engine) => work(this.#context(engine)))
      } catch (error) {
        throw toWriteError(error)
      } finally {
        await this.#release()
      }
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Takes the lock, unless the caller or another change of this store has it. */
  async #hold(kind: string): Promise<void> {
    this.#holders += 1
    if (this.#options.lock !== undefined) return
    this.#lock ??= this.#take(kind)
    try {
      await this.#lock
    } catch (error) {
      this.#holders -= 1
      this.#lock = undefined
      throw error
    }
  }

  async #take(kind: string): Promise<WorkspaceLock> {
    await this.#requireFolder()
    const lock = await acquireWorkspaceLock(this.root, { jobId: `${kind}-${randomUUID().slice(0, 8)}`, kind })
    try {
      await settleLeftJob(this.root)
      return lock
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  async #release(): Promise<void> {
    this.#holders -= 1
    if (this.#holders > 0) return
    const lock = this.#lock
    this.#lock = undefined
    await (await lock)?.release()
  }
}

const checkName = (datasetName: string | undefined): void => {
  if (datasetName !== undefined) checkText('datasetName', datasetName)
}
