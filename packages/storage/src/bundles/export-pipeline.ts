import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { type ExportContext, openExportEngine } from '../export/export-context.ts'
import { checkGiven, checkText } from '../options/check-options.ts'

const Pipeline = z.object({ config: z.string().nullable(), template: z.string().nullable() })

/**
 * The steps of a pipeline as JSON text, exactly as the store has them (NaN and infinities as Python writes them): what nirs4all runs again.
 * `template`: the pipeline before its variants were spelled out, where the release kept it. Throws `pipeline_not_found`.
 */
export const exportPipelineConfig = async (
  context: ExportContext,
  pipelineId: string,
  form: 'expanded' | 'template' = 'expanded',
): Promise<string> => {
  checkText('pipeline_id', pipelineId)
  checkGiven(z.enum(['expanded', 'template']), form, 'the form')
  const engine = await openExportEngine(context)
  try {
    const [found] = await engine.rows(
      Pipeline,
      'SELECT expanded_config AS config, original_template AS template FROM catalog.main.pipelines WHERE pipeline_id = $id LIMIT 1',
      { id: pipelineId },
    )
    const text = form === 'expanded' ? found?.config : found?.template
    if (text !== null && text !== undefined) return text
    throw found === undefined ? unknown(pipelineId) : withoutConfig(pipelineId, form)
  } finally {
    engine.close()
  }
}

const unknown = (id: string) =>
  new StorageError('pipeline_not_found', `This workspace has no pipeline "${id}".`, { hint: 'List the pipelines of the run.' })

const withoutConfig = (id: string, form: string) =>
  new StorageError('pipeline_not_found', `The pipeline "${id}" was stored without ${form === 'expanded' ? 'its steps' : 'a template'}.`, {
    hint: form === 'expanded' ? 'Choose another pipeline.' : 'Export its expanded steps instead.',
  })
