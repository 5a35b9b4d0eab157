import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'

export const addRemovePipeline = (program: Command): void => {
  withChangeOptions(
    program
      .command('remove-pipeline')
      .description('remove a pipeline with its chains and predictions')
      .argument('<path>')
      .argument('<pipeline_id>'),
  ).action((path: string, pipeline_id: string, options: ChangeOptions) =>
    runVerb(options, () => carryOut(path, { kind: 'remove_pipeline', pipeline_id }, options)),
  )
}
