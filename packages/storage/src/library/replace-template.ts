import { join } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { syncFolder, writeNewFile } from '../files/disk.ts'
import { ownMark } from '../files/process-mark.ts'
import { writeDurably } from '../files/write-durably.ts'
import { canonicalJson, prettyJson } from './json-text.ts'
import type { JsonObject } from './json-tree.ts'
import type { TemplateFiles } from './publish-template.ts'
import { pendingMetadata, pendingName, pipelineName, readTemplate, type StoredTemplate } from './read-template.ts'
import { adoptPending, dropPending } from './sweep-leftovers.ts'
import { copyToTrash } from './trash-folder.ts'

/**
 * Another pipeline under the same name. The old version is copied to the trash; the new metadata waits in a hidden file until the rename
 * of `pipeline.json`, from which moment on it counts: a kill leaves the old template or the new one, never the pipeline of one with the
 * metrics of the other. Returns where the old version went.
 */
export const replacePipeline = (root: string, old: StoredTemplate, { metadata, pipeline }: TemplateFiles): Promise<string> =>
  withClaim(root, old, metadata, async (folder) => {
    await writeDurably(join(folder, pipelineName), prettyJson(pipeline), await ownMark())
    await adoptPending(root, { id: old.id, metadata })
  })

/** The same pipeline with other words about it. */
export const replaceMetadata = (root: string, old: StoredTemplate, metadata: JsonObject): Promise<string> =>
  withClaim(root, old, metadata, () => adoptPending(root, { id: old.id, metadata }))

/** Claims the template, makes sure that it still is what the caller read, and keeps that version before `commit` replaces it. */
const withClaim = async (
  root: string,
  old: StoredTemplate,
  metadata: JsonObject,
  commit: (folder: string) => Promise<void>,
): Promise<string> => {
  const folder = join(root, old.id)
  await claim(join(folder, pendingName), prettyJson(pendingMetadata(metadata, old.metadata, await ownMark())))
  await syncFolder(folder)
  const current = await readTemplate(root, old)
  if (current === undefined || 'reason' in current || !isSameVersion(current, old)) {
    await dropPending(folder)
    throw busy(folder)
  }
  const trashId = await copyToTrash(root, old)
  await commit(folder)
  return trashId
}

const isSameVersion = (current: StoredTemplate, old: StoredTemplate): boolean =>
  current.hash === old.hash && canonicalJson(current.metadata) === canonicalJson(old.metadata)

// The pending file can be made once only: of two processes that replace one template, the second is turned away.
const claim = async (path: string, text: string): Promise<void> => {
  try {
    await writeNewFile(path, text)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw busy(path, error)
  }
}

const busy = (path: string, cause?: unknown): StorageError =>
  new StorageError(
    'workspace_busy',
    'Another program is replacing this template. Nothing was changed.',
    { path, hint: 'Try again in a moment.' },
    cause,
  )
