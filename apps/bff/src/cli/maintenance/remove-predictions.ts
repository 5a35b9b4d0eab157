import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'

export const addRemovePredictions = (program: Command): void => {
  withChangeOptions(
    program
      .command('remove-predictions')
      .description('remove single predictions, and chains and pipelines that lose their last one')
      .argument('<path>')
      .argument('<prediction_id...>'),
  ).action((path: string, prediction_ids: string[], options: ChangeOptions) =>
    runVerb(options, () => carryOut(path, { kind: 'remove_predictions', prediction_ids }, options)),
  )
}
