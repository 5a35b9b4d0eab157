import { listTrash } from '@nirs-workspace/storage'
import type { TrashEntry } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { formatBytes, formatTable } from '../table.ts'

export const addTrash = (program: Command): void => {
  program
    .command('trash')
    .description('what was removed and can be restored, the latest first')
    .argument('<path>')
    .option('--json', 'print one JSON document')
    .action((path: string, options: OutputOptions) =>
      runVerb(options, async () => {
        printResult(options, await listTrash(path), ({ rows }) => (rows.length === 0 ? 'The trash is empty.' : describeOperations(rows)))
        return exitCodes.done
      }),
    )
}

/** Operations of the trash, one below the other. */
export const describeOperations = (rows: readonly TrashEntry[]): string =>
  formatTable(
    ['operation', 'predictions', 'bytes', ''],
    rows.map(({ operation_id, counts, bytes, partly_restored, damaged }) => [
      operation_id,
      damaged ? null : (counts.predictions ?? 0),
      formatBytes(bytes),
      damaged ? 'damaged' : partly_restored ? 'partly restored' : '',
    ]),
  )
