import { text } from 'node:stream/consumers'
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
      .argument('<prediction_id...>', 'or - to read them from standard input, one per line'),
  ).action((path: string, prediction_ids: string[], options: ChangeOptions) =>
    runVerb(options, async () => carryOut(path, { kind: 'remove_predictions', prediction_ids: await readIds(prediction_ids) }, options)),
  )
}

/** More ids than a command line holds come by standard input. */
const readIds = async (given: string[]): Promise<string[]> =>
  given.length === 1 && given[0] === '-' ? (await text(process.stdin)).split(/\r?\n/).filter((id) => id !== '') : given
