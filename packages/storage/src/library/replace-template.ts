import { join } from 'node:path'
import { writeDurably } from '../files/write-durably.ts'
import { prettyJson } from './json-text.ts'
import type { JsonObject } from './json-tree.ts'
import type { TemplateFiles } from './publish-template.ts'
import { metadataName, pendingName, pipelineName, readmeName, type StoredTemplate } from './read-template.ts'
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
  const metadata: JsonObject = new Map([...files.metadata, ['replaces', old.metadata.get('modified_at') ?? null]])
  await writeDurably(join(folder, pendingName), prettyJson(metadata))
  await writeDurably(join(folder, pipelineName), prettyJson(files.pipeline))
  await adoptPending(root, { id: old.id, metadata })
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
