import { randomUUID } from 'node:crypto'
import { isStorageError, mergeStores, planMerge, resolveWorkspace, StorageError } from '@nirs-workspace/storage'
import { type MergePlan, type MergeReport, MergeStrategy } from '@nirs-workspace/types'
import { type Command, Option } from 'commander'
import { userFolders } from '../folders.ts'
import { agrees, type ChangeOptions, recoverFirst, withChangeOptions } from './change-options.ts'
import { collect } from './collect-values.ts'
import { describeMerged, describeMergePlan } from './describe-merge.ts'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { printResult, runVerb } from './output.ts'
import { showProgress } from './progress.ts'
import { whileWaiting } from './while-waiting.ts'

interface Options extends ChangeOptions {
  onConflict: MergeStrategy
  dataset: string[]
  create?: boolean
}

export const addMerge = (program: Command): void => {
  withChangeOptions(
    program
      .command('merge')
      .description('bring the predictions of other workspaces into one, with their whole lineage; sources are only read')
      .argument('<target>', 'a workspace with a store.duckdb')
      .argument('<source...>', 'workspaces of any release or lone Parquet files, merged in this order')
      .addOption(
        new Option('--on-conflict <strategy>', 'which of two results of the same model, fold and partition stays')
          .choices(MergeStrategy.options)
          .default('keep_best'),
      )
      .option('--dataset <name>', 'only this dataset; repeatable', collect, [])
      .option('--create', 'make the target when it is not there'),
  ).action((target: string, sources: string[], options: Options) => runVerb(options, () => merge(target, sources, options)))
}

const merge = async (target: string, sources: readonly string[], options: Options): Promise<number> => {
  const request = {
    onConflict: options.onConflict,
    datasets: options.dataset.length === 0 ? null : options.dataset,
    create: options.create,
    cacheFolder: userFolders().cache,
  }
  await requireTarget(target, options)
  await recoverTarget(target, options)
  const plan = await interruptible((signal) =>
    whileWaiting('Working out what would happen …', () => planMerge(target, sources, { ...request, signal })),
  )
  if (options.dryRun === true) {
    printResult(options, plan, describeMergePlan)
    return exitCodes.done
  }
  if (!(await agrees(describeMergePlan(plan), 'Merge now?', options))) return exitCodes.done
  const report = await run(target, sources, { ...request, planId: plan.plan_id })
  printResult(options, report, describeMerged)
  return report.errors.length > 0 ? exitCodes.findings : exitCodes.done
}

/** Nothing is made without being asked for. Throws `workspace_not_found`. */
const requireTarget = async (target: string, { create }: Options): Promise<void> => {
  try {
    if (create !== true) await resolveWorkspace(target)
  } catch (error) {
    if (!isStorageError(error, 'workspace_not_found')) throw error
    throw new StorageError('workspace_not_found', error.message, { ...error.fields, hint: 'Give --create to make it.' }, error)
  }
}

/** A target that is still to be made has nothing to recover. */
const recoverTarget = async (target: string, options: Options): Promise<void> => {
  try {
    await recoverFirst(target, options)
  } catch (error) {
    if (options.create !== true || !isStorageError(error, 'workspace_not_found', 'not_a_workspace')) throw error
  }
}

type Request = Omit<Parameters<typeof mergeStores>[2], 'jobId' | 'signal' | 'onProgress'> & { planId: MergePlan['plan_id'] }

const run = async (target: string, sources: readonly string[], request: Request): Promise<MergeReport> => {
  const progress = showProgress()
  try {
    return await interruptible((signal) =>
      mergeStores(target, sources, { ...request, jobId: randomUUID(), signal, onProgress: progress.report }),
    )
  } finally {
    progress.done()
  }
}
