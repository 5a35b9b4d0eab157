import { type Catalog, exportPipelineConfig, type PipelineRow } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import * as z from 'zod'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { withCatalog } from '../with-catalog.ts'
import { describeSaved } from './describe-template.ts'
import { openLibrary } from './open-library.ts'
import { type FieldOptions, templateFields, withTemplateFields } from './template-fields.ts'

export const addLibraryCopy = (library: Command): void => {
  withTemplateFields(
    library
      .command('copy')
      .description('save the pipeline of a run as a template, with the scores it had')
      .argument('<path>')
      .argument('<pipeline_id>'),
  )
    .option('--json', 'print one JSON document')
    .action((path: string, id: string, options: OutputOptions & FieldOptions) =>
      runVerb(options, async () => {
        const opened = await openLibrary(path)
        const row = await withCatalog(path, async (catalog, resolved): Promise<PipelineRow> => {
          const expanded_config = await exportPipelineConfig({ resolved, catalog }, id)
          return { ...(await readOrigin(catalog, id)), expanded_config, pipeline_id: id }
        })
        printResult(options, await opened.copyFromPipeline(row, templateFields(options)), describeSaved)
        return exitCodes.done
      }),
    )
}

const Origin = z.object({
  name: z.string().nullable(),
  dataset_name: z.string().nullable(),
  metric: z.string().nullable(),
  best_val: z.number().nullable(),
  best_test: z.number().nullable(),
})

const readOrigin = (catalog: Catalog, id: string): Promise<z.infer<typeof Origin>> =>
  catalog.engine.one(
    Origin,
    `SELECT name, dataset_name, metric, CASE WHEN isfinite(best_val) THEN best_val END AS best_val,
       CASE WHEN isfinite(best_test) THEN best_test END AS best_test
     FROM catalog.pipelines WHERE pipeline_id = $id LIMIT 1`,
    { id },
  )
