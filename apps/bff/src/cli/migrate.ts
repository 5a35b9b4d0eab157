import { randomUUID } from 'node:crypto'
import {
  detectStorage,
  inspectWorkspace,
  isStorageError,
  lastMigrationReport,
  planMigration,
  resolveWorkspace,
  runMigration,
  StorageError,
  verifyWorkspace,
} from '@nirs-workspace/storage'
import { type JobPhase, largestBatch, type MigrationPlan, type MigrationReport, type VerifyReport } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { userFolders } from '../folders.ts'
import { agrees, settleFirst } from './change-options.ts'
import { commandText } from './command-text.ts'
import { hasTerminal } from './confirm.ts'
import { describeRemark } from './describe-remark.ts'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { type OutputOptions, printResult, runVerb, UsageError } from './output.ts'
import { parseCount } from './parse-filters.ts'
import { showProgress } from './progress.ts'
import { formatBytes, formatTable } from './table.ts'
import { describeVerification } from './verify.ts'

interface Options extends OutputOptions {
  dryRun?: boolean
  verifyOnly?: boolean
  batchSize?: string
  yes?: boolean
}

export const addMigrate = (program: Command): void => {
  program
    .command('migrate')
    .description('move the arrays of a legacy workspace from DuckDB to Parquet files; every value is verified, the original is kept')
    .argument('<path>')
    .option('--dry-run', 'print the plan; change nothing')
    .option('--verify-only', 'check an earlier migration against its proof; change nothing')
    .option('--batch-size <n>', `rows per row group of the files, at most ${largestBatch}; default 2048`)
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => migrate(path, options)))
}

const migrate = async (path: string, options: Options): Promise<number> => {
  if (options.dryRun === true && options.verifyOnly === true) throw new UsageError('Give either --dry-run or --verify-only.')
  const batchSize = options.batchSize === undefined ? undefined : parseCount(options.batchSize, '--batch-size', 1, largestBatch)
  if (options.verifyOnly === true) return verifyOnly(path, options)
  if (options.dryRun !== true && !options.yes && !hasTerminal()) {
    // Nothing needs to be asked where there is nothing to do, a job that was interrupted included.
    const { interrupted_job } = await detectStorage(await resolveWorkspace(path))
    if (interrupted_job === null && (await interruptible((signal) => isDone(path, options, signal)))) return exitCodes.done
    throw new UsageError('There is no terminal to ask on. Give --yes to migrate, or --dry-run to see the plan. Nothing was changed.')
  }
  if (options.dryRun !== true) await settleFirst(path)
  if (await interruptible((signal) => isDone(path, options, signal))) return exitCodes.done
  try {
    return await planAndRun(path, options, batchSize)
  } catch (error) {
    // Another migration may have come first while this one waited or was planned.
    const isOvertaken = isStorageError(error, 'not_migratable', 'plan_stale') && (await isDone(path, options))
    if (isOvertaken) return exitCodes.done
    throw isStorageError(error, 'not_migratable') ? await namingLostArrays(path, error) : error
  }
}

const planAndRun = async (path: string, options: Options, batchSize: number | undefined): Promise<number> => {
  const plan = await interruptible((signal) => planMigration(path, { signal }))
  if (options.dryRun === true) {
    printResult(options, plan, describePlan(path))
    return exitCodes.done
  }
  if (!(await agrees(describePlan(path)(plan), 'Migrate now?', options))) return exitCodes.done
  const report = await run(path, plan, batchSize)
  printResult(options, report, describeReport(path))
  return exitCodes.done
}

/** A workspace that is migrated, or has nothing in it, is no mistake. Other kinds are refused by the plan, each with its reason. */
const isDone = async (path: string, options: Options, signal?: AbortSignal): Promise<boolean> => {
  const { storage_mode } = await detectStorage(await resolveWorkspace(path))
  signal?.throwIfAborted()
  if (storage_mode !== 'migrated' && storage_mode !== 'new') return false
  // A dry run says of nothing that it was migrated.
  const last_report = options.dryRun === true ? null : await lastMigrationReport(path)
  printResult(options, { ...last_report, nothing_to_do: true, storage_mode }, () => 'nothing to do')
  return true
}

/** What nirs4all has lost on its way is no matter of a migration; it must not look as if all were well, though. */
const namingLostArrays = async (path: string, refusal: StorageError): Promise<StorageError> => {
  if (!(await detectStorage(await resolveWorkspace(path))).rescue_needed) return refusal
  const { findings } = await inspectWorkspace(path, { cacheFolder: userFolders().cache })
  const lost = findings.filter(({ code, severity }) => code === 'predictions_without_arrays' && severity === 'error')
  if (lost.length === 0) return refusal
  const { hint, ...fields } = refusal.fields
  const rescue = `Bring them back with \`${commandText('rescue', path)}\`. Until then keep store.duckdb.bak: it is the only place that has them.`
  return new StorageError('not_migratable', `${refusal.message} ${lost.map(({ detail }) => detail).join(' ')}`, {
    ...fields,
    hint: `${rescue}${hint === undefined ? '' : ` ${hint}`}`,
  })
}

const run = async (path: string, plan: MigrationPlan, batchSize: number | undefined): Promise<MigrationReport> => {
  const progress = showProgress()
  let phase: JobPhase = 'plan'
  try {
    return await interruptible((signal) =>
      runMigration(path, {
        jobId: randomUUID(),
        planId: plan.plan_id,
        batchSize,
        signal,
        onProgress: (step) => {
          phase = step.phase
          progress.report(step)
        },
      }),
    )
  } catch (error) {
    // Running out of space on the way is a failure that changed nothing; having too little from the start is a refusal.
    if (isStorageError(error, 'no_space') && phase !== 'plan' && phase !== 'queued') throw Object.assign(error, { exit: exitCodes.failed })
    throw error
  } finally {
    progress.done()
  }
}

const verifyOnly = async (path: string, options: Options): Promise<number> => {
  const progress = showProgress()
  try {
    const report: VerifyReport = await interruptible((signal) =>
      verifyWorkspace(path, { depth: 'deep', requireProof: true, signal, onProgress: progress.report }),
    )
    progress.done()
    printResult(options, report, describeVerification(path))
    return report.passed ? exitCodes.done : exitCodes.findings
  } finally {
    progress.done()
  }
}

const describePlan =
  (path: string) =>
  (plan: MigrationPlan): string =>
    [
      `Would migrate ${plan.total_rows} rows (${plan.total_values} values), about ${Math.ceil(plan.estimated_duration_seconds)} s:`,
      formatTable(
        ['dataset', 'rows', 'now', 'then', 'file'],
        plan.datasets.map((dataset) => [
          dataset.name,
          dataset.rows,
          formatBytes(dataset.bytes_now),
          formatBytes(dataset.bytes_estimated),
          dataset.file,
        ]),
      ),
      `store ${formatBytes(plan.duckdb_size_before)}, would be ${formatBytes(plan.duckdb_size_estimated)} and ${formatBytes(plan.parquet_bytes_estimated)} of Parquet`,
      `needs ${formatBytes(plan.free_bytes_needed)} of free space, ${formatBytes(plan.free_bytes_available)} are there`,
      ...plan.warnings.flatMap((warning) => describeRemark(path, 'warning', warning)),
    ].join('\n')

const describeReport =
  (path: string) =>
  (report: MigrationReport): string =>
    [
      `${report.rows_migrated} of ${report.total_rows} rows migrated and verified in ${report.duration_seconds.toFixed(1)} s`,
      `store ${formatBytes(report.duckdb_size_before)}, now ${formatBytes(report.duckdb_size_after)} and ${formatBytes(report.parquet_total_size)} of Parquet`,
      `original kept at ${report.backup_path}${report.backup_wal_path === null ? '' : ` and ${report.backup_wal_path}`}`,
      `proof at ${report.proof_path}`,
      ...report.warnings.flatMap((warning) => describeRemark(path, 'warning', warning)),
    ].join('\n')
