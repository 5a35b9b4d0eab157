import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { printable } from '../table.ts'
import { openLibrary } from './open-library.ts'

interface Options extends OutputOptions {
  overwrite?: boolean
}

export const addLibraryRestore = (library: Command): void => {
  library
    .command('restore')
    .description('bring a template back from the trash of the library')
    .argument('<path>')
    .argument('<trash_id>')
    .option('--overwrite', 'when another has taken its name, that one goes to the trash in its turn')
    .option('--json', 'print one JSON document')
    .action((path: string, id: string, options: Options) =>
      runVerb(options, async () => {
        const template = await (await openLibrary(path)).restore(id, { overwrite: options.overwrite === true })
        printResult(options, template, (restored) => `restored as ${printable(restored.id)}`)
        return exitCodes.done
      }),
    )
}
