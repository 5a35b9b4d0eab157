import { exportPipelineConfig } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { exportText, type PlaceOptions } from './export-text.ts'
import { runVerb } from './output.ts'
import { withCatalog } from './with-catalog.ts'

interface Options extends PlaceOptions {
  template?: boolean
}

export const addExportPipeline = (program: Command): void => {
  program
    .command('export-pipeline')
    .description('the steps of a pipeline as JSON, exactly as the store has them')
    .argument('<path>')
    .argument('<pipeline_id>')
    .option('-o, --output <file>', 'default: standard output; never inside a workspace')
    .option('--force', 'replace a file that is there already')
    .option('--template', 'as it was before its variants were spelled out, where the release kept that')
    .option('--json', 'print one JSON document')
    .action((path: string, pipeline_id: string, options: Options) =>
      runVerb(options, async () => {
        const form = options.template === true ? 'template' : 'expanded'
        const text = await withCatalog(path, (catalog, resolved) => exportPipelineConfig({ resolved, catalog }, pipeline_id, form))
        await exportText(options, text, (pipeline_json) => ({ pipeline_id, form, pipeline_json }))
        return exitCodes.done
      }),
    )
}
