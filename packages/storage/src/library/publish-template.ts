import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { makeFolder, removeEmptyFolder, rename, syncFolder, writeNewFile } from '../files/disk.ts'
import { ownMark } from '../files/process-mark.ts'
import { prettyJson } from './json-text.ts'
import type { JsonObject } from './json-tree.ts'
import { invalidTemplate } from './library-error.ts'
import { ensureFolder, lstatIfThere, stagingName } from './library-folder.ts'
import { metadataName, pipelineName, readmeName } from './read-template.ts'
import { readmeText } from './readme-text.ts'
import { categoryFolders, foldedName, templateFolders } from './safe-name.ts'

export interface TemplateFiles {
  metadata: JsonObject
  pipeline: JsonObject
}

/** Writes a new template beside and moves it into place by one rename. Returns its id. */
export const publishTemplate = async (root: string, place: { name: string; category: string }, files: TemplateFiles): Promise<string> => {
  const staging = join(root, stagingName)
  await ensureFolder(staging)
  const own = join(staging, `${await ownMark()}-${randomUUID()}`)
  const staged = join(own, 'template')
  await makeFolder(staged)
  await writeTemplateFiles(staged, files)
  const id = await moveIntoPlace(root, place, staged)
  await removeEmptyFolder(own)
  return id
}

/** Moves a complete template folder to a free place of its category. */
export const moveIntoPlace = async (root: string, place: { name: string; category: string }, from: string): Promise<string> => {
  const category = await chooseCategory(root, place.category)
  await ensureFolder(join(root, category))
  const folder = await chooseFolder(join(root, category), place.name)
  await rename(from, join(root, category, folder))
  await syncFolder(join(root, category))
  return `${category}/${folder}`
}

export const writeTemplateFiles = async (folder: string, { metadata, pipeline }: TemplateFiles): Promise<void> => {
  await writeNewFile(join(folder, pipelineName), prettyJson(pipeline))
  await writeNewFile(join(folder, metadataName), prettyJson(metadata))
  await writeNewFile(join(folder, readmeName), readmeText(metadata))
  await syncFolder(folder)
}

// The folder of the category itself when it is there; a name that some file system takes for another one's is passed over.
const chooseCategory = async (root: string, category: string): Promise<string> => {
  const taken = foldedNames(await readdir(root))
  for (const candidate of categoryFolders(category)) {
    const status = await lstatIfThere(join(root, candidate))
    if (status?.isDirectory() && taken.get(foldedName(candidate))?.includes(candidate)) return candidate
    if (status === undefined && !taken.has(foldedName(candidate))) return candidate
  }
  throw noFreeFolder(category)
}

const chooseFolder = async (category: string, name: string): Promise<string> => {
  const taken = foldedNames(await namesIn(category))
  for (const candidate of templateFolders(name)) if (!taken.has(foldedName(candidate))) return candidate
  throw noFreeFolder(name)
}

const foldedNames = (names: readonly string[]): Map<string, string[]> => Map.groupBy(names, foldedName)

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

const noFreeFolder = (name: string) => invalidTemplate(`Every folder for "${name}" is taken.`, 'Choose another name.')
