import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { describeMetadata } from './describe-template.ts'
import { openLibrary } from './open-library.ts'
import { type RefOptions, templateRef, withTemplateRef } from './template-ref.ts'

export const addLibraryShow = (library: Command): void => {
  withTemplateRef(library.command('show').description('one template with its pipeline'))
    .option('--json', 'print one JSON document')
    .action((path: string, word: string, options: OutputOptions & RefOptions) =>
      runVerb(options, async () => {
        const opened = await openLibrary(path)
        const template = await opened.load(await templateRef(opened, word, options))
        printResult(options, template, (shown) => `${describeMetadata(shown)}\n\n${shown.pipeline_json}`)
        return exitCodes.done
      }),
    )
}
