import { join } from 'node:path'
import { isStorageError } from '../errors.ts'
import { changeLibrary } from './change-library.ts'
import { checkRef, findTemplate, type TemplateRef } from './find-template.ts'
import { trashName } from './library-folder.ts'
import { claimTemplate } from './replace-template.ts'
import type { LibraryContent } from './scan-library.ts'
import { dropPending } from './sweep-leftovers.ts'
import { labelOf, moveToTrash, trashedTemplateName } from './trash-folder.ts'

/** Moves a template to the trash of the library, from where `restoreTemplate` brings it back; a damaged one by its id. */
export const deleteTemplate = (workspace: string, ref: TemplateRef): Promise<{ trash_id: string }> =>
  changeLibrary(workspace, async (library) => {
    checkRef(ref)
    const damaged = 'id' in ref ? library.unreadable.find(({ id }) => id === ref.id) : undefined
    return { trash_id: await (damaged === undefined ? deleteClaimed(library, ref) : deleteDamaged(library, damaged.id)) }
  })

/** The claim goes along, so that whoever looks meanwhile finds it in either place. */
const deleteClaimed = async (library: LibraryContent, ref: TemplateRef): Promise<string> => {
  const template = findTemplate(library, ref)
  const folder = await claimTemplate(library.root, template, template.metadata)
  const id = await moveToTrash(library.root, labelOf(template)).catch(async (error: unknown) => {
    // In a folder that has gone, another process may have made a template of its own.
    if (!isStorageError(error, 'template_not_found')) await dropPending(folder)
    throw error
  })
  await dropPending(join(library.root, trashName, id, trashedTemplateName))
  return id
}

/** Nobody replaces what cannot be read. */
const deleteDamaged = ({ root }: LibraryContent, id: string): Promise<string> => {
  const [category = 'general', name = id] = id.split('/')
  return moveToTrash(root, { id, name, category })
}
