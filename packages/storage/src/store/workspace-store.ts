import { randomUUID } from 'node:crypto'
import type { MaintenanceApplied, MaintenanceInput } from '@nirs-workspace/types'
import * as z from 'zod'
import type { ArrayOperations } from '../array-store/array-operations.ts'
import { ArrayStore } from '../array-store/array-store.ts'
import type { ArrayRow } from '../arrays/array-source.ts'
import { arrayFileName } from '../arrays/file-name.ts'
import { fitsSamples, foreignArrays, lengthsOf } from '../arrays/fits-samples.ts'
import { tableRows } from '../arrays/table-source.ts'
import { refuseUnsettledArrays } from '../arrays/unsettled-arrays.ts'
import { type ListedArtifact, listArtifacts, loadArtifact } from '../artifacts/load-artifact.ts'
import { type ArtifactInput, saveArtifact } from '../artifacts/save-artifact.ts'
import { StorageError } from '../errors.ts'
import type { LifecycleEvent, LifecycleState } from '../lifecycle/lifecycle-table.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { type MadePlan, makePlan } from '../maintenance/make-plan.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { flag, optionsOf } from '../options/option-schemas.ts'
import { type VacuumReport, vacuumWorkspace } from '../vacuum/vacuum-store.ts'
import { beginPipeline, beginRun, type PipelineInput, type RunInput } from './begin-run.ts'
import { type ChainSummary, chainSummary } from './chain-scores.ts'
import { changePipeline, changeRun, type PipelineOutcome, type RunOutcome } from './change-status.ts'
import { flushPredictions } from './flush-predictions.ts'
import { knownContexts } from './known-contexts.ts'
import { type LogInput, logStep, pipelineLogs, runLogs } from './log-steps.ts'
import type { PredictionFilter } from './prediction-filter.ts'
import { type BufferedPrediction, bufferedPrediction, type PredictionArrays, type PredictionInput } from './prediction-input.ts'
import {
  changeProject,
  createProject,
  deleteProject,
  listProjects,
  type ProjectChanges,
  type ProjectInput,
  setRunProject,
} from './projects.ts'
import { type ChainFilter, listChains, type TopChainOptions, topChains } from './query-chains.ts'
import { type Page, queryPredictions, type TopOptions, topPredictions } from './query-predictions.ts'
import { getRow, listPipelines, listRuns, type RunFilter } from './read-lineage.ts'
import { type RunLineage, runLineage } from './run-lineage.ts'
import { type ChainInput, saveChain } from './save-chain.ts'
import { ChainRecord, type LogRecord, PipelineRecord, PredictionRecord, ProjectRecord, RunRecord } from './store-rows.ts'
import { openReading, openWriting, type StoreSession, seen, storeClosed, written } from './store-session.ts'

export interface OpenStoreOptions {
  /** Default `write`. For reading, the store is held only while a question is answered. */
  readonly mode?: 'read' | 'write' | undefined
  /** Make a workspace where nothing is, or in an empty folder. */
  readonly create?: boolean | undefined
}

const OpenOptions = optionsOf<OpenStoreOptions>({ mode: z.enum(['read', 'write']).optional(), create: flag })

/**
 * The runs, pipelines, chains, predictions, models and logs of a workspace with a store.duckdb. Open for writing it holds the workspace lock
 * and the store until `close`. Whatever a call has returned from is durable.
 */
export class WorkspaceStore implements AsyncDisposable {
  readonly #session: StoreSession
  #buffer: BufferedPrediction[] = []
  #isClosed = false
  #closing: Promise<void> | undefined

  private constructor(session: StoreSession) {
    this.#session = session
  }

  /**
   * Throws `not_migrated` (with what to do) for writing to a store of a release before 0.8, `workspace_busy`, `store_locked`,
   * `workspace_not_found`, `not_a_workspace`. Finishes or undoes first what a job that died has left.
   */
  static async open(path: string, options: OpenStoreOptions = {}): Promise<WorkspaceStore> {
    checkText('path', path)
    checkGiven(OpenOptions, options)
    const { mode = 'write', create = false } = options
    return new WorkspaceStore(mode === 'read' ? await openReading(path) : await openWriting(path, create))
  }

  get root(): string {
    return this.#session.root
  }

  /**
   * Saves what is buffered, then lets go of store and lock. Can be repeated: where what is buffered cannot be saved, it stays, and the store
   * stays open; `discardBuffer` gives it up.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => {
      this.#closing = undefined
    })
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    try {
      if (this.#buffer.length > 0) await this.flush()
    } catch (error) {
      this.#isClosed = false
      throw error
    }
    await this.#session.close()
  }

  /** As `close`, but for good: nobody is left to call it again, so that store and lock are let go of also when what is buffered could not be saved. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close()
    } finally {
      this.#isClosed = true
      await this.#session.close()
    }
  }

  beginRun(input: RunInput): Promise<string> {
    return this.#session.write((engine) => beginRun(engine, input))
  }

  /** Refused with `invalid_transition` while a pipeline of it has not ended. */
  completeRun(id: string, summary?: RunOutcome['summary']): Promise<LifecycleState> {
    return this.changeRun(id, 'complete', { summary })
  }

  failRun(id: string, error: string): Promise<LifecycleState> {
    return this.changeRun(id, 'fail', { error })
  }

  /**
   * start, pause, resume, cancel, retry …: refused with `invalid_transition` where the table of states does not have them. With a run that
   * is cancelled its pipelines are that have not ended, with the same error.
   */
  changeRun(id: string, event: LifecycleEvent, outcome?: RunOutcome): Promise<LifecycleState> {
    return this.#session.write((engine) => changeRun(engine, id, event, outcome))
  }

  /** Refused with `invalid_transition` for a run that has ended. */
  beginPipeline(input: PipelineInput): Promise<string> {
    return this.#session.write((engine) => beginPipeline(engine, input))
  }

  completePipeline(id: string, outcome?: PipelineOutcome): Promise<LifecycleState> {
    return this.changePipeline(id, 'complete', outcome)
  }

  failPipeline(id: string, error: string): Promise<LifecycleState> {
    return this.changePipeline(id, 'fail', { error })
  }

  /**
   * As `changeRun`; refused too where a pipeline would go on in a run that has ended. Chains and predictions are still saved into one that
   * has ended.
   */
  changePipeline(id: string, event: LifecycleEvent, outcome?: PipelineOutcome): Promise<LifecycleState> {
    return this.#session.write((engine) => changePipeline(engine, id, event, outcome))
  }

  /** Refused with `validation` when no step has the number of the model's, with `artifact_missing` when a model is not there. */
  saveChain(input: ChainInput): Promise<string> {
    return this.#session.write((engine) => saveChain(engine, input))
  }

  /**
   * Saves one prediction at once; one with the same natural key (pipeline, chain, fold, partition, model, branch) is replaced and keeps its
   * id, which is returned. Saved without arrays it keeps those that it has while metric, scores and number of samples stay the same; with
   * another result they go, because they are not of it. A pipeline belongs to one dataset: a prediction of another dataset with that key is refused with `validation`, and so
   * are arrays with a name that does not exist, y_true and y_pred of different lengths, and an n_samples that the arrays do not fit.
   */
  async savePrediction(input: PredictionInput, arrays?: PredictionArrays): Promise<string> {
    const [id] = await this.#save([bufferedPrediction(input, arrays)])
    if (id === undefined) throw new Error('A saved prediction has an id.')
    return id
  }

  /** Keeps a prediction for the next flush, which tells its id. */
  bufferPrediction(input: PredictionInput, arrays?: PredictionArrays): void {
    if (!this.#session.isWritable) throw new StorageError('read_only', 'The store was opened for reading. Nothing was changed.')
    if (this.#isClosed) throw storeClosed()
    this.#buffer.push(bufferedPrediction(input, arrays))
  }

  get bufferedCount(): number {
    return this.#buffer.length
  }

  /** Gives up what is buffered. */
  discardBuffer(): void {
    this.#buffer = []
  }

  /**
   * Saves what is buffered: all arrays in one batch, then all rows. The ids in order. When it fails, the buffer is as it was. Refuses what
   * `savePrediction` refuses.
   */
  async flush(): Promise<string[]> {
    const buffered = this.#buffer
    this.#buffer = []
    try {
      return await this.#save(buffered)
    } catch (error) {
      this.#buffer = [...buffered, ...this.#buffer]
      throw error
    }
  }

  #save(buffered: readonly BufferedPrediction[]): Promise<string[]> {
    return this.#session.write((engine, { lock, flushLog }) =>
      flushPredictions(
        {
          root: this.root,
          engine,
          arrays: ArrayStore.open(this.root, { lock, contextsOf: knownContexts(engine, seen('predictions')) }),
          flushLog,
        },
        buffered,
      ),
    )
  }

  getRun(id: string): Promise<RunRecord | null> {
    return this.#session.read((engine) => getRow(engine, RunRecord, 'runs', id))
  }

  getPipeline(id: string): Promise<PipelineRecord | null> {
    return this.#session.read((engine) => getRow(engine, PipelineRecord, 'pipelines', id))
  }

  getChain(id: string): Promise<ChainRecord | null> {
    return this.#session.read((engine) => getRow(engine, ChainRecord, 'chains', id))
  }

  getPrediction(id: string): Promise<PredictionRecord | null> {
    return this.#session.read((engine) => getRow(engine, PredictionRecord, 'predictions', id))
  }

  listRuns(filter?: RunFilter, page?: Page): Promise<RunRecord[]> {
    return this.#session.read((engine) => listRuns(engine, filter, page))
  }

  listPipelines(runId: string): Promise<PipelineRecord[]> {
    return this.#session.read((engine) => listPipelines(engine, runId))
  }

  queryPredictions(filter: PredictionFilter = {}, page?: Page): Promise<PredictionRecord[]> {
    return this.#session.read((engine) => queryPredictions(engine, filter, page))
  }

  topPredictions(options?: TopOptions): Promise<PredictionRecord[]> {
    return this.#session.read((engine) => topPredictions(engine, options))
  }

  listChains(filter?: ChainFilter, page?: Page): Promise<ChainRecord[]> {
    return this.#session.read((engine) => listChains(engine, filter, page))
  }

  topChains(options?: TopChainOptions): Promise<ChainRecord[]> {
    return this.#session.read((engine) => topChains(engine, options))
  }

  chainSummary(id: string): Promise<ChainSummary> {
    return this.#session.read((engine) => chainSummary(engine, id))
  }

  runLineage(id: string): Promise<RunLineage> {
    return this.#session.read((engine) => runLineage(engine, id))
  }

  /**
   * Null when the prediction has no arrays. Throws `arrays_corrupt` for damage, also when they do not fit its n_samples, and `interrupted`
   * while a save of it has not ended.
   */
  async loadArrays(id: string): Promise<ArrayRow | null> {
    checkText('id', id)
    // The table first: a migration in between moves its rows into files.
    const inTable = this.#session.isWritable ? null : await this.#arraysInTable(id)
    const inFile = await ArrayStore.open(this.root).loadSingle(id)
    const row = inFile ?? inTable
    await refuseUnsettledArrays(this.root, () => [id])
    if (row === null) return null
    const prediction = await this.getPrediction(id)
    if (prediction === null || fitsSamples(prediction.n_samples, lengthsOf(row))) return row
    throw foreignArrays(inFile === null ? 'table' : `arrays/${arrayFileName(prediction.dataset_name)}`, [id])
  }

  #arraysInTable(id: string): Promise<ArrayRow | null> {
    return this.#session.read(async (engine) => {
      if (!this.#session.hasArrayTable) return null
      let found: ArrayRow | null = null
      for await (const rows of tableRows(engine, written('prediction_arrays'), [id])) found = rows.at(-1) ?? found
      return found
    })
  }

  /**
   * The array files, for reading; what it changes would need the lock that this store holds. Throws `not_migrated` when arrays are still
   * inside the store: `loadArrays` reads those.
   */
  get arrays(): Pick<ArrayOperations, 'loadBatch' | 'loadSingle' | 'loadDataset' | 'stats' | 'integrityCheck' | 'listDatasets'> {
    if (this.#session.hasArrayTable) throw arraysInside(this.root)
    return ArrayStore.open(this.root)
  }

  logStep(input: LogInput): Promise<string> {
    return this.#session.write((engine) => logStep(engine, input))
  }

  getRunLogs(runId: string): Promise<LogRecord[]> {
    return this.#session.read((engine) => runLogs(engine, runId))
  }

  getPipelineLogs(pipelineId: string): Promise<LogRecord[]> {
    return this.#session.read((engine) => pipelineLogs(engine, pipelineId))
  }

  saveArtifact(input: ArtifactInput): Promise<string> {
    return this.#session.write((engine) => saveArtifact(engine, this.root, input))
  }

  loadArtifact(id: string): Promise<Uint8Array> {
    return this.#session.read((engine) => loadArtifact(engine, this.root, id))
  }

  /** With the number of chains that name each of them. */
  listArtifacts(): Promise<ListedArtifact[]> {
    return this.#session.read(listArtifacts)
  }

  /** Refused with `validation` for a name that is empty or taken. */
  createProject(input: ProjectInput): Promise<string> {
    return this.#session.write((engine) => createProject(engine, input))
  }

  getProject(id: string): Promise<ProjectRecord | null> {
    return this.#session.read((engine) => getRow(engine, ProjectRecord, 'projects', id))
  }

  /** Changes what is given. Refused with `validation` for a name that is empty or taken, and for a project that is not there. */
  changeProject(id: string, changes: ProjectChanges): Promise<void> {
    return this.#session.write((engine) => changeProject(engine, id, changes))
  }

  listProjects(): Promise<ProjectRecord[]> {
    return this.#session.read(listProjects)
  }

  setRunProject(runId: string, projectId: string | null): Promise<void> {
    return this.#session.write((engine) => setRunProject(engine, runId, projectId))
  }

  deleteProject(projectId: string): Promise<void> {
    return this.#session.write((engine) => deleteProject(engine, projectId))
  }

  /** What a removal, compaction or collection would do. Removals go to the trash, from which they can be restored. */
  plan(request: MaintenanceInput): Promise<MadePlan> {
    return this.#session.aside(() => makePlan(this.root, request))
  }

  apply(plan: MadePlan): Promise<MaintenanceApplied> {
    return this.#session.aside((lock) => applyPlan(this.root, plan, { jobId: jobFor(plan.kind), lock }))
  }

  deleteRun(id: string): Promise<MaintenanceApplied> {
    return this.#remove({ kind: 'remove_run', run_id: id })
  }

  deletePipeline(id: string): Promise<MaintenanceApplied> {
    return this.#remove({ kind: 'remove_pipeline', pipeline_id: id })
  }

  deleteChain(id: string): Promise<MaintenanceApplied> {
    return this.#remove({ kind: 'remove_chain', chain_id: id })
  }

  deletePredictions(ids: readonly string[]): Promise<MaintenanceApplied> {
    return this.#remove({ kind: 'remove_predictions', prediction_ids: [...ids] })
  }

  deleteDataset(name: string): Promise<MaintenanceApplied> {
    return this.#remove({ kind: 'remove_dataset', dataset_name: name })
  }

  async #remove(request: MaintenanceInput): Promise<MaintenanceApplied> {
    return this.#session.aside(async (lock) =>
      applyPlan(this.root, await makePlan(this.root, request), { jobId: jobFor(request.kind), lock }),
    )
  }

  /** Rewrites the store without the space that nothing uses. */
  vacuum(): Promise<VacuumReport> {
    return this.#session.aside((lock) => vacuumWorkspace(this.root, { lock }))
  }
}

const arraysInside = (path: string) =>
  new StorageError('not_migrated', 'The workspace is of an older release: its arrays are still inside the store. Nothing was changed.', {
    path,
    hint: 'Read them with loadArrays or an ArrayReader, or migrate the workspace.',
  })

const jobFor = (kind: string): string => `${kind.replaceAll('_', '-')}-${randomUUID().slice(0, 8)}`
