import { randomUUID } from 'node:crypto'
import { planRescue, type RescuePlan, type RescueReport, rescueArrays, resolveWorkspace } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { agrees, type ChangeOptions, recoverFirst, withChangeOptions } from './change-options.ts'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { printResult, runVerb } from './output.ts'
import { showProgress } from './progress.ts'
import { formatBytes, formatTable } from './table.ts'
import { whileWaiting } from './while-waiting.ts'

export const addRescue = (program: Command): void => {
  withChangeOptions(
    program
      .command('rescue')
      .description('bring arrays back that a later nirs4all left behind in store.duckdb.bak; every value is verified, that file stays')
      .argument('<path>'),
  ).action((path: string, options: ChangeOptions) => runVerb(options, () => rescue(path, options)))
}

const rescue = async (path: string, options: ChangeOptions): Promise<number> => {
  await recoverFirst(path, options)
  const { root } = await resolveWorkspace(path)
  const plan = await interruptible((signal) => whileWaiting('Looking for lost arrays …', () => planRescue(root, { signal })))
  if (plan.predictions === 0) {
    printResult(options, { ...plan, nothing_to_do: true }, (nothing) => ['nothing to rescue', ...describeRest(nothing)].join('\n'))
    return exitCodes.done
  }
  if (options.dryRun === true) {
    printResult(options, plan, describePlan)
    return exitCodes.done
  }
  if (!(await agrees(describePlan(plan), 'Bring them back now?', options))) return exitCodes.done
  printResult(options, await run(root), describeReport)
  return exitCodes.done
}

const run = async (root: string): Promise<RescueReport> => {
  const progress = showProgress()
  try {
    return await interruptible((signal) => rescueArrays(root, { jobId: randomUUID(), signal, onProgress: progress.report }))
  } finally {
    progress.done()
  }
}

const describePlan = (plan: RescuePlan): string =>
  [
    `Would bring back the arrays of ${predictionsOf(plan.predictions)} from store.duckdb.bak:`,
    formatTable(
      ['dataset', 'predictions', 'size', 'file'],
      plan.datasets
        .filter(({ predictions }) => predictions > 0)
        .map(({ name, predictions, bytes_estimated, file }) => [name, predictions, formatBytes(bytes_estimated), file]),
    ),
    ...describeRest(plan),
    `needs ${formatBytes(plan.free_bytes_needed)} of free space, ${formatBytes(plan.free_bytes_available)} are there`,
  ].join('\n')

const describeReport = (report: RescueReport): string =>
  [
    `brought back and verified the arrays of ${predictionsOf(report.predictions)} in ${report.duration_seconds.toFixed(1)} s`,
    ...describeRest(report),
    'store.duckdb.bak is as it was',
  ].join('\n')

const predictionsOf = (count: number): string => `${count} ${count === 1 ? 'prediction' : 'predictions'}`

/** What a rescue leaves as it is. */
const describeRest = ({ stay_lost, marked_removed, unknown_rows }: Pick<RescuePlan, 'stay_lost' | 'marked_removed' | 'unknown_rows'>) => [
  ...(stay_lost === 0 ? [] : [`${predictionsOf(stay_lost)} without arrays in store.duckdb.bak too: nothing can be brought back`]),
  ...(marked_removed === 0 ? [] : [`${predictionsOf(marked_removed)} marked as removed in arrays/: left as found`]),
  ...(unknown_rows === 0
    ? []
    : [`${unknown_rows} ${unknown_rows === 1 ? 'row' : 'rows'} of no known prediction in store.duckdb.bak: left there`]),
]
