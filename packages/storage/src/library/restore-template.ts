import { join } from 'node:path'
import type { TemplateMetadata } from '@nirs-workspace/types'
import { syncFolder } from '../files/disk.ts'
import { checkGiven, checkText, checkTexts } from '../options/check-options.ts'
import { OverwriteChoice } from '../options/option-schemas.ts'
import { changeLibrary } from './change-library.ts'
import { describePlace } from './find-template.ts'
import { invalidTemplate, templateBusy, templateExists, trashedNotFound } from './library-error.ts'
import { trashName } from './library-folder.ts'
import { listTemplateTrash, readTrashed, trashIds } from './list-trash.ts'
import { moveIntoPlace } from './publish-template.ts'
import { pendingName, type StoredTemplate } from './read-template.ts'
import { replaceByTrashed } from './replace-template.ts'
import { isAbandoned, settle } from './sweep-leftovers.ts'
import { templateCategory, templateName } from './template-metadata.ts'
import { closeEntry, discardEntry, trashedTemplateName } from './trash-folder.ts'

/**
 * Brings a template back, byte for byte, with whatever else was in its folder. With `overwrite`, one that took its name meanwhile goes to the
 * trash in its turn, as whole.
 */
export const restoreTemplate = async (
  workspace: string,
  trashId: string,
  options: { overwrite?: boolean } = {},
): Promise<TemplateMetadata> => {
  checkText('trash_id', trashId)
  checkGiven(OverwriteChoice, options)
  return changeLibrary(workspace, async (library) => {
    const place = await placeOf(workspace, library.root, trashId)
    const living = library.templates.find((one) => templateName(one) === place.name && templateCategory(one) === place.category)
    if (living !== undefined && options.overwrite !== true) throw templateExists(place.name, place.category)
    await settleAbandoned(library.root, place.template)
    if (living === undefined) return putBack(library.root, trashId, place)
    return swapBack(library.root, trashId, living, place.template)
  })
}

/** Removes entries of the trash for good; all of them when none is named. Returns how many. */
export const emptyTemplateTrash = (workspace: string, trashIdsToRemove?: readonly string[]): Promise<{ removed: number }> =>
  changeLibrary(workspace, async ({ root }) => {
    if (trashIdsToRemove !== undefined) checkTexts('trash_ids', trashIdsToRemove)
    const present = await trashIds(root)
    const chosen = trashIdsToRemove ?? present
    for (const id of chosen) if (!present.includes(id)) throw trashedNotFound(id)
    for (const id of chosen) await discardEntry(join(root, trashName, id))
    if (chosen.length > 0) await syncFolder(join(root, trashName))
    return { removed: chosen.length }
  })

// Who deletes a template gives up the claim on it a moment after it is in the trash.
const settleAbandoned = async (root: string, trashed: StoredTemplate): Promise<void> => {
  if (trashed.pending === 'none') return
  if (!(await isAbandoned(root, trashed))) throw templateBusy(join(root, trashed.id, pendingName), trashed.pending)
  await settle(root, trashed)
}

const placeOf = async (workspace: string, root: string, trashId: string) => {
  const entry = (await listTemplateTrash(workspace)).find(({ trash_id }) => trash_id === trashId)
  if (entry === undefined) throw trashedNotFound(trashId)
  const template = await readTrashed(root, trashId)
  if (template === undefined || 'reason' in template) {
    throw invalidTemplate(
      `The template in the trash cannot be read: ${template?.reason ?? 'it is gone'}.`,
      `Its files are in library/${trashName}/${trashId}.`,
    )
  }
  return { name: entry.name, category: entry.category, template }
}

const putBack = async (root: string, trashId: string, place: { name: string; category: string }): Promise<TemplateMetadata> => {
  const entry = join(root, trashName, trashId)
  const id = await moveIntoPlace(root, place, join(entry, trashedTemplateName))
  await closeEntry(entry)
  return describePlace(root, id)
}

const swapBack = async (root: string, trashId: string, living: StoredTemplate, trashed: StoredTemplate): Promise<TemplateMetadata> => {
  await replaceByTrashed(root, living, trashed)
  await closeEntry(join(root, trashName, trashId))
  return describePlace(root, living.id)
}
