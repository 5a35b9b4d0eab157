import { exportPredictionsParquet } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { collect } from './collect-values.ts'
import { exitCodes } from './exit-codes.ts'
import { fileToWrite } from './export-place.ts'
import { printFile } from './export-text.ts'
import { type OutputOptions, runVerb } from './output.ts'
import { parseFilters } from './parse-filters.ts'
import { withCatalog } from './with-catalog.ts'

interface Options extends OutputOptions {
  output: string
  filter: string[]
  force?: boolean
}

export const addExportPredictions = (program: Command): void => {
  program
    .command('export-predictions')
    .description('all columns of the predictions as one Parquet file, without arrays')
    .argument('<path>')
    .requiredOption('-o, --output <file>', 'never inside a workspace')
    .option('--filter <column=value>', 'as list takes it; repeatable', collect, [])
    .option('--force', 'replace a file that is there already')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) =>
      runVerb(options, async () => {
        const filters = parseFilters(options.filter)
        const target = await fileToWrite(options.output, options.force === true)
        printFile(
          options,
          await withCatalog(path, (catalog, resolved) => exportPredictionsParquet({ resolved, catalog }, { filters, target })),
        )
        return exitCodes.done
      }),
    )
}
