import { join } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { syncFolder, writeNewFile } from '../files/disk.ts'
import { writeDurably } from '../files/write-durably.ts'
import { prettyJson } from './json-text.ts'
import type { JsonObject } from './json-tree.ts'
import type { TemplateFiles } from './publish-template.ts'
import { metadataName, pendingMetadata, pendingName, pipelineName, readmeName, type StoredTemplate } from './read-template.ts'
import { readmeText } from './readme-text.ts'
import { adoptPending } from './sweep-leftovers.ts'
import { copyToTrash } from './trash-folder.ts'

/**
 * Another pipeline under the same name. The old version is copied to the trash; the new metadata waits in a hidden file until the rename
 * of `pipeline.json`, from which moment on it counts: a kill leaves the old template or the new one, never the pipeline of one with the
 * metrics of the other. Returns where the old version went.
 */
export const replacePipeline = async (root: string, old: StoredTemplate, files: TemplateFiles): Promise<string> => {
  const folder = join(root, old.id)
  const trashId = await copyToTrash(root, old)
  await claim(join(folder, pendingName), prettyJson(pendingMetadata(files.metadata, old.metadata)))
  await syncFolder(folder)
  await writeDurably(join(folder, pipelineName), prettyJson(files.pipeline))
  await adoptPending(root, { id: old.id, metadata: files.metadata })
  return trashId
}

/** The same pipeline with other words about it. */
export const replaceMetadata = async (root: string, old: StoredTemplate, metadata: JsonObject): Promise<string> => {
  const folder = join(root, old.id)
  const trashId = await copyToTrash(root, old)
  await writeDurably(join(folder, metadataName), prettyJson(metadata))
  await writeDurably(join(folder, readmeName), readmeText(metadata))
  return trashId
}

// The pending file can be made once only: of two processes that replace one template, the second is turned away.
const claim = async (path: string, text: string): Promise<void> => {
  try {
    await writeNewFile(path, text)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new StorageError(
      'workspace_busy',
      'Another program is replacing this template. Nothing was changed.',
      { path, hint: 'Try again in a moment.' },
      error,
    )
  }
}
