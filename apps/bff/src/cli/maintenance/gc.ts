import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'
import { parseGrace } from './grace-hours.ts'

interface Options extends ChangeOptions {
  graceHours?: string
  includeUnregistered?: boolean
}

export const addGc = (program: Command): void => {
  withChangeOptions(
    program
      .command('gc')
      .description('remove stored models that no chain names')
      .argument('<path>')
      .option('--grace-hours <n>', 'leave alone what is younger (default: 24)')
      .option('--include-unregistered', 'also files in artifacts/ that no row names; nirs4all leaves real models so'),
  ).action((path: string, options: Options) =>
    runVerb(options, () =>
      carryOut(
        path,
        { kind: 'artifact_gc', grace_hours: parseGrace(options.graceHours), include_unregistered: options.includeUnregistered },
        options,
      ),
    ),
  )
}
