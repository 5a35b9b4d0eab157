import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, removeTree, rename, syncFolder } from '../files/disk.ts'
import { hasRealFolder, isFileAt, lstatIfThere, trashName } from './library-folder.ts'
import { isOwnName, nextName, pipelineName, type Restoring, templateNames } from './read-template.ts'
import { trashedTemplateName } from './trash-folder.ts'

/**
 * Gives the files of a template that came back their places, and what they replace its own in the trash. Every name moves by one rename, and
 * what was done already is passed over: a restore that was cut short is finished by the same steps. Throws `path_not_allowed` before anything
 * moves when a link or a file is where the trash should keep them.
 */
export const finishRestore = async (root: string, id: string, { keptIn, others }: Restoring): Promise<void> => {
  const folder = join(root, id)
  const incoming = join(folder, nextName)
  const trash = join(root, trashName)
  const kept = join(trash, keptIn, trashedTemplateName)
  for (const place of [trash, join(trash, keptIn), kept]) await hasRealFolder(place)
  await makeFolder(kept)
  for (const name of others) if (await isThere(folder, name)) await setAside(join(folder, name), kept, name)
  await syncFolder(kept)
  const arrived = (await readdir(incoming)).filter((name) => !isOwnName(name))
  for (const name of arrived.filter((one) => one !== pipelineName)) await takePlace(incoming, folder, name, kept)
  await syncFolder(folder)
  await syncFolder(incoming)
  if (arrived.includes(pipelineName)) await takePlace(incoming, folder, pipelineName, kept)
  await syncFolder(folder)
  await removeTree(incoming)
}

const isThere = async (folder: string, name: string): Promise<boolean> => (await lstatIfThere(join(folder, name))) !== undefined

// What is kept already was moved before the interruption: what has its name now is what came back.
const setAside = async (from: string, kept: string, name: string): Promise<void> => {
  if (!(await isThere(kept, name))) await rename(from, join(kept, name))
}

const takePlace = async (incoming: string, folder: string, name: string, kept: string): Promise<void> => {
  if ((await isThere(folder, name)) && !(await isCopied(incoming, folder, name))) await keepNewcomer(folder, kept, name)
  await rename(join(incoming, name), join(folder, name))
}

/** The files that make a template are in the trash as copies, so that there is no instant without them. */
const isCopied = async (incoming: string, folder: string, name: string): Promise<boolean> =>
  templateNames.includes(name) && (await isFileAt(join(folder, name))) && isFileAt(join(incoming, name))

/** Something that another program has put there since the restore began. */
const keepNewcomer = async (folder: string, kept: string, name: string): Promise<void> => {
  await rename(join(folder, name), join(kept, (await isThere(kept, name)) ? `${name}-${randomUUID()}` : name))
  await syncFolder(kept)
}
