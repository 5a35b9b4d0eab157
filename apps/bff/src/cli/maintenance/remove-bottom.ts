import { type Command, Option } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { parseNumber } from '../parse-filters.ts'
import { carryOut } from './carry-out.ts'

interface Options extends ChangeOptions {
  fraction: string
  metric?: string
  partition: 'val' | 'test' | 'train'
  dataset?: string
  direction?: 'higher' | 'lower' | 'zero'
}

export const addRemoveBottom = (program: Command): void => {
  withChangeOptions(
    program
      .command('remove-bottom')
      .description('remove the worst predictions of each dataset, metric and task; never refits, starred ones or the best')
      .argument('<path>')
      .requiredOption('--fraction <f>', 'of the ranked predictions of each group, 0 to 1, rounded down')
      .option('--metric <name>', 'only predictions of this metric')
      .addOption(new Option('--partition <name>', 'whose scores count').choices(['val', 'test', 'train']).default('val'))
      .option('--dataset <name>', 'only this dataset')
      .addOption(new Option('--direction <which>', 'for a metric whose direction is unknown').choices(['higher', 'lower', 'zero'])),
  ).action((path: string, options: Options) =>
    runVerb(options, () =>
      carryOut(
        path,
        {
          kind: 'remove_bottom',
          fraction: parseNumber(options.fraction, '--fraction', 0, 1),
          metric: options.metric,
          partition: options.partition,
          dataset_name: options.dataset,
          direction: options.direction,
        },
        options,
      ),
    ),
  )
}
