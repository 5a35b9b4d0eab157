import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { describeSaved } from './describe-template.ts'
import { openLibrary } from './open-library.ts'

interface Options extends OutputOptions {
  name?: string
  category?: string
  overwrite?: boolean
  keepDuplicate?: boolean
}

export const addLibraryImport = (library: Command): void => {
  library
    .command('import')
    .description('take a file that export has written, a template folder of nirs4all, or a bare pipeline in JSON')
    .argument('<path>')
    .argument('<file>')
    .option('--name <name>', 'instead of the one in the file')
    .option('--category <name>', 'instead of the one in the file')
    .option('--overwrite', 'replace the template of this name; what was there goes to the trash of the library')
    .option('--keep-duplicate', 'save it although another template holds the same pipeline')
    .option('--json', 'print one JSON document')
    .action((path: string, file: string, { name, category, overwrite, keepDuplicate, ...options }: Options) =>
      runVerb(options, async () => {
        const saved = await (await openLibrary(path)).import(file, { name, category, overwrite, keepDuplicate })
        printResult(options, saved, describeSaved)
        return exitCodes.done
      }),
    )
}
