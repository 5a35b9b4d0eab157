import type { TrashedTemplate } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { formatTable } from '../table.ts'
import { openLibrary } from './open-library.ts'

export const addLibraryTrash = (library: Command): void => {
  library
    .command('trash')
    .description('templates that were deleted or replaced, the newest first')
    .argument('<path>')
    .option('--json', 'print one JSON document')
    .action((path: string, options: OutputOptions) =>
      runVerb(options, async () => {
        const rows = await (await openLibrary(path)).trash()
        printResult(options, { rows, total: rows.length }, () => describeTrashed(rows))
        return exitCodes.done
      }),
    )
}

export const describeTrashed = (rows: readonly TrashedTemplate[]): string =>
  rows.length === 0
    ? 'The trash of the library is empty.'
    : formatTable(
        ['trash id', 'name', 'category', 'why'],
        rows.map(({ trash_id, name, category, reason }) => [trash_id, name, category, reason]),
        { widest: 40 },
      )
