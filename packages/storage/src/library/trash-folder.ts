import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { systemCode } from '../errors.ts'
import { copyDurably, link, makeFolder, removeEmptyFolder, removeTree, rename, syncFile, syncFolder, unlink } from '../files/disk.ts'
import { isWithoutLinks, unlinkIfThere } from '../files/move-file.ts'
import { ownMark } from '../files/process-mark.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { templateNotFound } from './library-error.ts'
import { ensureFolder, isFileAt, lstatIfThere, syncFolderIfThere, trashName } from './library-folder.ts'
import { type StoredTemplate, templateNames } from './read-template.ts'
import { templateCategory, templateName } from './template-metadata.ts'

/** `library/.trash/<id>/`: what was removed and why, and the template as it was. One level deeper than nirs4all looks. */
export const removedName = 'removed.json'
export const trashedTemplateName = 'template'

/** Half of an entry: being copied, or being thrown away. */
export const partialName = '.partial'

/** Moves a template folder, readable or not, to the trash by one rename. Returns the id of its entry. */
export const moveToTrash = async (root: string, template: TrashLabel): Promise<string> => {
  const entry = await openEntry(root, template, 'deleted', await newEntryId())
  try {
    await rename(join(root, template.id), join(entry.path, trashedTemplateName))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    await closeEntry(entry.path)
    throw templateNotFound(template.id)
  }
  // Another process may have emptied the trash.
  await syncFolderIfThere(entry.path)
  await syncFolder(dirname(join(root, template.id)))
  return entry.id
}

export interface KeptFiles {
  /** What to keep, if not all that makes a template. */
  readonly names?: readonly string[]
  /** Those of them that stay in the living template. */
  readonly staying?: readonly string[]
}

/**
 * Keeps the version that is about to be replaced: its very files, which lose their names in the living template to new ones. What another
 * program writes into them until that instant is in the trash too. Where there are no hard links, and of files that stay, copies of them.
 */
export const copyToTrash = async (
  root: string,
  template: StoredTemplate,
  { names = templateNames, staying = [] }: KeptFiles,
  id: string,
): Promise<void> => {
  const entry = await openEntry(root, labelOf(template), 'replaced', id)
  const copy = join(entry.path, partialName)
  await makeFolder(copy)
  for (const name of names) {
    const file = join(root, template.id, name)
    if (await isFileAt(file)) await (staying.includes(name) ? copyDurably : keepFile)(file, join(copy, name))
  }
  await syncFolder(copy)
  await rename(copy, join(entry.path, trashedTemplateName))
  await syncFolder(entry.path)
}

const keepFile = async (file: string, kept: string): Promise<void> => {
  try {
    await link(file, kept)
    await syncFile(kept)
  } catch (error) {
    if (!isWithoutLinks(error) && systemCode(error) !== 'EACCES') throw error
    await unlinkIfThere(kept)
    await copyDurably(file, kept)
  }
}

/** Removes an entry for good: out of sight by one rename, then file by file. */
export const discardEntry = async (entry: string): Promise<void> => {
  if ((await lstatIfThere(join(entry, trashedTemplateName))) !== undefined) {
    await rename(join(entry, trashedTemplateName), join(entry, partialName))
    await syncFolder(entry)
  }
  await closeEntry(entry)
}

/** Removes what is left of an entry whose template has gone. Never touches a template that another process moves in meanwhile. */
export const closeEntry = async (entry: string): Promise<void> => {
  await removeTree(join(entry, partialName))
  if ((await lstatIfThere(join(entry, removedName))) !== undefined) await unlink(join(entry, removedName))
  await removeEmptyFolder(entry)
}

export interface TrashLabel {
  id: string
  name: string
  category: string
}

export const labelOf = (template: StoredTemplate): TrashLabel => ({
  id: template.id,
  name: templateName(template),
  category: templateCategory(template),
})

/** No two entries bear the same id. */
export const newEntryId = async (): Promise<string> => `${await ownMark()}-${Date.now()}-${randomUUID().slice(0, 8)}`

const openEntry = async (root: string, { id: from, name, category }: TrashLabel, reason: 'deleted' | 'replaced', id: string) => {
  const trash = join(root, trashName)
  const writer = await ownMark()
  const path = join(trash, id)
  await ensureFolder(trash)
  await ensureFolder(path)
  await writeJsonDurably(join(path, removedName), { name, category, removed_at: new Date().toISOString(), reason, from }, writer)
  return { id, path }
}
