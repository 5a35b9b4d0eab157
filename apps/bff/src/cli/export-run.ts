import { exportRun } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { exportText, type PlaceOptions } from './export-text.ts'
import { runVerb } from './output.ts'
import { withCatalog } from './with-catalog.ts'

export const addExportRun = (program: Command): void => {
  program
    .command('export-run')
    .description('a run with its pipelines and chains as YAML')
    .argument('<path>')
    .argument('<run_id>')
    .option('-o, --output <file>', 'default: standard output; never inside a workspace')
    .option('--force', 'replace a file that is there already')
    .option('--json', 'print one JSON document')
    .action((path: string, run_id: string, options: PlaceOptions) =>
      runVerb(options, async () => {
        const text = await withCatalog(path, (catalog, resolved) => exportRun({ resolved, catalog }, run_id))
        await exportText(options, text, (yaml) => ({ run_id, yaml }))
        return exitCodes.done
      }),
    )
}
