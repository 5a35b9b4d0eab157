import { basename, dirname, join } from 'node:path'
import { isFile, isFolder, namesIn } from './look-at.ts'

/** Sub-folders looked into before giving up; a home folder may hold thousands. */
const MOST_FOLDERS = 500

const looksLikeWorkspace = async (folder: string): Promise<boolean> => {
  if ((await isFile(join(folder, 'store.duckdb'))) || (await isFile(join(folder, 'store.sqlite')))) return true
  const names = await namesIn(join(folder, 'arrays'))
  return names.some((name) => name.endsWith('.parquet'))
}

/** What to try instead of this folder, as a sentence: the folder itself, the one above, or sub-folders that look like a workspace. */
export const hintFor = async (folder: string): Promise<string> => {
  const found: string[] = []
  if (basename(folder) !== 'workspace' && (await quietly(() => looksLikeWorkspace(folder)))) found.push(folder)
  if (await quietly(() => looksLikeWorkspace(dirname(folder)))) found.push(dirname(folder))
  const names = (await quietly(() => namesIn(folder))) || []
  for (const name of names.slice(0, MOST_FOLDERS)) {
    if (found.length === 3) break
    for (const inner of [join(folder, name), join(folder, name, 'workspace')]) {
      if ((await quietly(() => isFolder(inner))) && (await quietly(() => looksLikeWorkspace(inner)))) found.push(inner)
    }
  }
  if (found.length > 0) return `Did you mean ${found.slice(0, 3).join(' or ')}?`
  if (await quietly(() => isFolder(join(folder, 'runs')))) {
    return 'Its runs/ folder looks like nirs4all 0.6 or older, which kept no store; open it with nirs4all 0.7 first.'
  }
  return 'Give the folder that nirs4all writes into: it holds store.duckdb or store.sqlite.'
}

// A folder that may not be read cannot be suggested; that is all it means for a hint.
const quietly = async <T>(work: () => Promise<T>): Promise<T | false> => {
  try {
    return await work()
  } catch {
    return false
  }
}
