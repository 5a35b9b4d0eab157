import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'

export const addRemoveRun = (program: Command): void => {
  withChangeOptions(
    program.command('remove-run').description('remove a run with everything that belongs to it').argument('<path>').argument('<run_id>'),
  ).action((path: string, run_id: string, options: ChangeOptions) =>
    runVerb(options, () => carryOut(path, { kind: 'remove_run', run_id }, options)),
  )
}
