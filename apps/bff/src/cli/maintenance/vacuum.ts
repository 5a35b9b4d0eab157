import { planVacuum, resolveWorkspace, type VacuumPlan, type VacuumReport, vacuumWorkspace } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { agrees, type ChangeOptions, recoverFirst, withChangeOptions } from '../change-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { interruptible } from '../interruptible.ts'
import { printResult, runVerb } from '../output.ts'
import { formatBytes } from '../table.ts'
import { whileWaiting } from '../while-waiting.ts'

export const addVacuum = (program: Command): void => {
  withChangeOptions(
    program.command('vacuum').description('write the store anew without its free blocks; every row is compared').argument('<path>'),
  ).action((path: string, options: ChangeOptions) => runVerb(options, () => vacuum(path, options)))
}

const vacuum = async (path: string, options: ChangeOptions): Promise<number> => {
  await recoverFirst(path, options)
  const { root } = await resolveWorkspace(path)
  const plan = await planVacuum(root)
  if (options.dryRun === true) {
    printResult(options, plan, describePlan)
    return exitCodes.done
  }
  if (!(await agrees(describePlan(plan), 'Rewrite the store now?', options))) return exitCodes.done
  const report = await interruptible((signal) => whileWaiting('Rewriting the store …', () => vacuumWorkspace(root, { signal })))
  printResult(options, report, describeReport)
  return exitCodes.done
}

const describePlan = ({ bytes_before, free_bytes }: VacuumPlan): string =>
  `Would rewrite the store: ${formatBytes(bytes_before)}, of which at least ${formatBytes(free_bytes)} are free blocks.\nNo row changes; the old store stays when the new one is no smaller.`

const describeReport = ({ bytes_before, bytes_after, replaced }: VacuumReport): string =>
  replaced
    ? `store ${formatBytes(bytes_before)}, now ${formatBytes(bytes_after)}`
    : `store ${formatBytes(bytes_before)}: there was nothing to gain, it stays as it is`
