import { changeLibrary } from './change-library.ts'
import { checkRef, findTemplate, type TemplateRef } from './find-template.ts'
import type { LibraryContent } from './scan-library.ts'
import { labelOf, moveToTrash, type TrashLabel } from './trash-folder.ts'

/** Moves a template to the trash of the library, from where `restoreTemplate` brings it back; a damaged one by its id. */
export const deleteTemplate = (workspace: string, ref: TemplateRef): Promise<{ trash_id: string }> =>
  changeLibrary(workspace, async (library) => ({ trash_id: await moveToTrash(library.root, labelFor(library, ref)) }))

const labelFor = (library: LibraryContent, ref: TemplateRef): TrashLabel => {
  checkRef(ref)
  const damaged = 'id' in ref ? library.unreadable.find(({ id }) => id === ref.id) : undefined
  if (damaged === undefined) return labelOf(findTemplate(library, ref))
  const [category = 'general', name = damaged.id] = damaged.id.split('/')
  return { id: damaged.id, name, category }
}
