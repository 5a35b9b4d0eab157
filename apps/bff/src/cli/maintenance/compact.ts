import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'

interface Options extends ChangeOptions {
  dataset?: string
}

export const addCompact = (program: Command): void => {
  withChangeOptions(
    program
      .command('compact')
      .description('write array files anew without removed rows and duplicates')
      .argument('<path>')
      .option('--dataset <name>', 'only this dataset'),
  ).action((path: string, options: Options) =>
    runVerb(options, () => carryOut(path, { kind: 'compact', dataset_name: options.dataset }, options)),
  )
}
