import { workspaceStats } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { userFolders } from '../folders.ts'
import { exitCodes } from './exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'
import { formatBytes, formatTable } from './table.ts'

export const addStats = (program: Command): void => {
  program
    .command('stats')
    .description('where the bytes of a workspace are')
    .argument('<path>')
    .option('--json', 'print one JSON document')
    .action((path: string, options: OutputOptions) =>
      runVerb(options, async () => {
        const stats = await workspaceStats(path, { cacheFolder: userFolders().cache })
        printResult(options, stats, ({ space_usage, tables, total_bytes, reclaimable_bytes }) =>
          [
            formatTable(
              ['what', 'size', 'files'],
              space_usage.map(({ category, bytes, files }) => [category, formatBytes(bytes), files]),
            ),
            `total ${formatBytes(total_bytes)}, reclaimable ${formatBytes(reclaimable_bytes)}`,
            formatTable(['table', 'rows'], Object.entries(tables)),
          ].join('\n\n'),
        )
        return exitCodes.done
      }),
    )
}
