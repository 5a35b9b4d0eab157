import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnreadableTemplate } from '@nirs-workspace/types'
import { mapBounded } from '../datasets/map-bounded.ts'
import { systemCode } from '../errors.ts'
import { hasRealFolder, locateLibrary } from './library-folder.ts'
import { readTemplate, type StoredTemplate } from './read-template.ts'

export interface LibraryContent {
  readonly root: string
  readonly templates: readonly StoredTemplate[]
  readonly unreadable: readonly UnreadableTemplate[]
}

const filesAtOnce = 16

/** Everything the library holds, in order of its folders. Links and hidden folders are left alone; a workspace without library has none. */
export const scanLibrary = async (workspace: string): Promise<LibraryContent> => {
  const root = await locateLibrary(workspace)
  if (!(await hasRealFolder(root))) return { root, templates: [], unreadable: [] }
  const places = (await mapBounded(await foldersIn(root), filesAtOnce, (categoryFolder) => placesIn(root, categoryFolder))).flat()
  const found = await mapBounded(places, filesAtOnce, async (place) => ({ place, content: await readTemplate(root, place) }))
  const templates: StoredTemplate[] = []
  const unreadable: UnreadableTemplate[] = []
  for (const { place, content } of found) {
    if (content === undefined) continue
    if ('reason' in content) unreadable.push({ id: `${place.categoryFolder}/${place.folder}`, reason: content.reason })
    else templates.push(content)
  }
  return { root, templates, unreadable }
}

const placesIn = async (root: string, categoryFolder: string) =>
  (await foldersIn(join(root, categoryFolder))).map((folder) => ({ categoryFolder, folder }))

/** Real folders only, sorted. One that vanished meanwhile is empty. */
const foldersIn = async (path: string): Promise<string[]> => {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .toSorted()
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  }
}
