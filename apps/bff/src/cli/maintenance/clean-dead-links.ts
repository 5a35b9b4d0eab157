import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'
import { parseGrace } from './grace-hours.ts'

interface Options extends ChangeOptions {
  dataset?: string
  graceHours?: string
  includeNeverSaved?: boolean
}

export const addCleanDeadLinks = (program: Command): void => {
  withChangeOptions(
    program
      .command('clean-dead-links')
      .description('remove predictions whose arrays are lost and arrays of no prediction; exits with 1 when a dataset cannot be read')
      .argument('<path>')
      .option('--dataset <name>', 'only this dataset')
      .option('--grace-hours <n>', 'leave alone what is younger (default: 24)')
      .option('--include-never-saved', 'also predictions that were saved without arrays'),
  ).action((path: string, options: Options) =>
    runVerb(options, () =>
      carryOut(
        path,
        {
          kind: 'clean_dead_links',
          dataset_name: options.dataset,
          grace_hours: parseGrace(options.graceHours),
          include_never_saved: options.includeNeverSaved,
        },
        options,
      ),
    ),
  )
}
