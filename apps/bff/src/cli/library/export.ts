import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { fileToWrite } from '../export-place.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { printable } from '../table.ts'
import { openLibrary } from './open-library.ts'
import { type RefOptions, templateRef, withTemplateRef } from './template-ref.ts'

interface Options extends OutputOptions, RefOptions {
  output: string
  force?: boolean
}

export const addLibraryExport = (library: Command): void => {
  withTemplateRef(library.command('export').description('one template as one JSON file that import takes'))
    .requiredOption('-o, --output <file>', 'never inside a workspace')
    .option('--force', 'replace a file that is there already')
    .option('--json', 'print one JSON document')
    .action((path: string, word: string, options: Options) =>
      runVerb(options, async () => {
        const opened = await openLibrary(path)
        const ref = await templateRef(opened, word, options)
        const target = await fileToWrite(options.output, options.force === true)
        const exported = await opened.export(ref, target, { overwrite: options.force === true })
        printResult(options, exported, (file) => printable(file.path))
        return exitCodes.done
      }),
    )
}
