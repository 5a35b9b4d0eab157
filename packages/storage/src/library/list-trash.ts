import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TrashedTemplate } from '@nirs-workspace/types'
import { toWireJson } from './json-text.ts'
import { hasRealFolder, locateLibrary, trashName } from './library-folder.ts'
import { readTemplate, readTree, type StoredTemplate, UnreadableFile } from './read-template.ts'
import { templateName } from './template-metadata.ts'
import { removedName, trashedTemplateName } from './trash-folder.ts'

/** What can be restored, newest first. An entry whose label is lost still shows, under the name that its template bears. */
export const listTemplateTrash = async (workspace: string): Promise<TrashedTemplate[]> => {
  const root = await locateLibrary(workspace)
  const entries = await Promise.all((await trashIds(root)).map((id) => describeEntry(root, id)))
  return entries
    .filter((entry) => entry !== undefined)
    .toSorted((left, right) => (right.removed_at ?? '').localeCompare(left.removed_at ?? '') || left.trash_id.localeCompare(right.trash_id))
}

export const trashIds = async (root: string): Promise<string[]> => {
  if (!(await hasRealFolder(root)) || !(await hasRealFolder(join(root, trashName)))) return []
  const entries = await readdir(join(root, trashName), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/** The template of an entry; undefined when the entry holds none. */
export const readTrashed = async (root: string, id: string): Promise<StoredTemplate | { reason: string } | undefined> =>
  readTemplate(root, { categoryFolder: `${trashName}/${id}`, folder: trashedTemplateName })

const describeEntry = async (root: string, id: string): Promise<TrashedTemplate | undefined> => {
  const template = await readTrashed(root, id)
  if (template === undefined) return undefined
  const label = await readLabel(root, id)
  if (label !== undefined) return label
  const name = 'reason' in template ? id : templateName(template)
  const category = 'reason' in template ? undefined : template.metadata.get('category')
  return { trash_id: id, name, category: typeof category === 'string' ? category : 'general', removed_at: null, reason: 'unknown' }
}

/** What the entry says of itself; undefined when it is damaged. */
export const readLabel = async (root: string, id: string): Promise<TrashedTemplate | undefined> => {
  try {
    const label = toWireJson((await readTree(root, `${trashName}/${id}/${removedName}`)) ?? null)
    return TrashedTemplate.safeParse({ ...(label instanceof Object ? label : {}), trash_id: id }).data
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined
    throw error
  }
}
