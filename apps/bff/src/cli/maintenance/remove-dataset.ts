import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'

export const addRemoveDataset = (program: Command): void => {
  withChangeOptions(
    program
      .command('remove-dataset')
      .description('remove all predictions of a dataset with their lineage and arrays')
      .argument('<path>')
      .argument('<name>'),
  ).action((path: string, dataset_name: string, options: ChangeOptions) =>
    runVerb(options, () => carryOut(path, { kind: 'remove_dataset', dataset_name }, options)),
  )
}
