import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StorageError } from '../errors.ts'
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

/** Writes one template as one JSON file that `importTemplate` takes. An existing file is refused unless `overwrite` is set. */
export const exportTemplate = async (
  workspace: string,
  ref: TemplateRef,
  file: string,
  options: { overwrite?: boolean } = {},
): Promise<{ path: string; content_hash: string }> => {
  checkText('file', file)
  checkGiven(OverwriteChoice, options)
  const { metadata, pipeline, hash } = findTemplate(await scanLibrary(workspace), ref)
  if (options.overwrite !== true && (await lstatIfThere(file)) !== undefined) {
    throw new StorageError('path_not_allowed', `${file} is there already and was not touched.`, {
      path: file,
      hint: 'Choose another name.',
    })
  }
  await requireFolder(dirname(file))
  const content: JsonObject = new Map<string, JsonTree>([
    ['format', exportFormat],
    ['format_version', 1n],
    ['content_hash', hash],
    ['metadata', metadata],
    ['pipeline', pipeline],
  ])
  await withCodedErrors(file, () => writeDurably(file, `${prettyJson(content)}\n`))
  return { path: file, content_hash: hash }
}

const requireFolder = async (folder: string): Promise<void> => {
  try {
    await realpath(folder)
  } catch (error) {
    throw new StorageError('workspace_not_found', `There is no folder ${folder}. Nothing was written.`, { path: folder }, error)
  }
}
