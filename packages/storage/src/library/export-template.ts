import { StorageError } from '../errors.ts'
import { allowedTarget } from '../export/export-target.ts'
import { writeDurably } from '../files/write-durably.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { OverwriteChoice } from '../options/option-schemas.ts'
import { findTemplate, type TemplateRef } from './find-template.ts'
import { prettyJson } from './json-text.ts'
import type { JsonObject, JsonTree } from './json-tree.ts'
import { withCodedErrors } from './library-error.ts'
import { lstatIfThere } from './library-folder.ts'
import { scanLibrary } from './scan-library.ts'

export const exportFormat = 'nirs-workspace-template'

/**
 * Writes one template as one JSON file outside the workspace that `importTemplate` takes. An existing file is refused unless `overwrite` is
 * set. Throws `template_not_found`, `path_not_allowed`, `no_space`, `write_failed`.
 */
export const exportTemplate = async (
  workspace: string,
  ref: TemplateRef,
  file: string,
  options: { overwrite?: boolean } = {},
): Promise<{ path: string; content_hash: string }> => {
  checkText('file', file)
  checkGiven(OverwriteChoice, options)
  const { metadata, pipeline, hash } = findTemplate(await scanLibrary(workspace), ref)
  const path = await allowedTarget(workspace, file)
  if (options.overwrite !== true && (await lstatIfThere(path)) !== undefined) {
    throw new StorageError('path_not_allowed', `${file} is there already and was not touched.`, {
      path: file,
      hint: 'Choose another name.',
    })
  }
  const content: JsonObject = new Map<string, JsonTree>([
    ['format', exportFormat],
    ['format_version', 1n],
    ['content_hash', hash],
    ['metadata', metadata],
    ['pipeline', pipeline],
  ])
  await withCodedErrors(path, () => writeDurably(path, `${prettyJson(content)}\n`))
  return { path, content_hash: hash }
}
