import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { lstat, open, readlink, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { isStorageError, quotedNames, resolveWorkspace, StorageError, systemCode } from '@nirs-workspace/storage'
import { UsageError } from './output.ts'

/** Files that hold, or may hold, the only copy of somebody's results; an export never takes their place. */
const stores = new Set(['.duckdb', '.sqlite', '.sqlite3', '.db', '.wal', '.bak'])

/**
 * The path that an export to one file is to be written to. Refuses folders, pipes and devices, places inside any workspace (also
 * where links lead into one) and files that are there, unless they may be replaced. Makes and changes nothing.
 */
export const fileToWrite = async (given: string, mayReplace: boolean): Promise<string> => {
  const path = await placeOf(given)
  const status = await lookAt(path)
  if (status?.isDirectory()) throw new UsageError(`${given} is a folder: give the name of a file in it with -o. Nothing was written.`)
  if (status !== null && !status.isFile()) throw new UsageError(`${given} is neither a file nor a folder. Nothing was written.`)
  const folder = dirname(path)
  await requireFolder(folder)
  await refuseInsideWorkspace(folder, given)
  if (status !== null) refuseReplacing(given, path, mayReplace)
  await refuseUnwritable(folder)
  return (await lstatOrNull(given))?.isSymbolicLink() ? path : resolve(given)
}

/** As `fileToWrite` for each of several; the files that are there already are told together. */
export const filesToWrite = async (given: readonly string[], mayReplace: boolean): Promise<string[]> => {
  const paths: string[] = []
  const there: AlreadyThere[] = []
  for (const path of given) {
    try {
      paths.push(await fileToWrite(path, mayReplace))
    } catch (error) {
      if (!(error instanceof AlreadyThere)) throw error
      there.push(error)
    }
  }
  const [first] = there
  if (first === undefined) return paths
  if (there.length === 1) throw first
  const names = quotedNames(there.map(({ path }) => basename(path)))
  throw new UsageError(
    `${there.length} of the files are there already in ${dirname(first.path)}: ${names}. Give --force to replace them, or another folder. Nothing was written.`,
  )
}

class AlreadyThere extends UsageError {
  readonly path: string

  constructor(path: string) {
    super(`${path} is there already. Give --force to replace it. Nothing was written.`)
    this.path = path
  }
}

/** The folder that several files are to be written to, which need not be there yet. Refuses places inside any workspace. */
export const folderToWrite = async (given: string): Promise<string> => {
  const path = await placeOf(given)
  const status = await lookAt(path)
  if (status !== null && !status.isDirectory())
    throw new UsageError(`${given} is a file: several files need a folder. Nothing was written.`)
  await refuseInsideWorkspace(path, given)
  return resolve(given)
}

/** Whether there is a folder at a path, links followed. */
export const isExistingFolder = async (given: string): Promise<boolean> => (await lookAt(await placeOf(given)))?.isDirectory() === true

/** Where a path leads once every link is followed, whether or not anything is there. */
const placeOf = async (given: string, links = 40): Promise<string> => {
  const path = resolve(given)
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unusable(given, error)
  }
  const isLink = (await lstatOrNull(path))?.isSymbolicLink() === true
  if (isLink && links > 0) return placeOf(resolve(await realpath(dirname(path)), await readlink(path)), links - 1)
  return dirname(path) === path ? path : join(await placeOf(dirname(path), links), basename(path))
}

const lookAt = async (path: string): Promise<Stats | null> => orNull(path, () => stat(path))

const lstatOrNull = async (path: string): Promise<Stats | null> => orNull(path, () => lstat(path))

const orNull = async (path: string, look: () => Promise<Stats>): Promise<Stats | null> => {
  try {
    return await look()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw unusable(path, error)
  }
}

const requireFolder = async (folder: string): Promise<void> => {
  if ((await lookAt(folder))?.isDirectory()) return
  throw new UsageError(`There is no folder ${folder}. Nothing was written; make it first.`)
}

/** Any folder above may be a workspace, not only the one that is exported. */
const refuseInsideWorkspace = async (folder: string, given: string): Promise<void> => {
  for (let above = folder; ; above = dirname(above)) {
    if (await isWorkspaceRoot(above)) {
      throw new StorageError(
        'path_not_allowed',
        `${given} lies inside the workspace ${above}, which an export must not change. Nothing was written.`,
        {
          path: given,
          hint: 'Choose a folder outside the workspace.',
        },
      )
    }
    if (dirname(above) === above) return
  }
}

const isWorkspaceRoot = async (folder: string): Promise<boolean> => {
  try {
    return (await resolveWorkspace(folder)).root === folder
  } catch (error) {
    if (isStorageError(error, 'workspace_not_found', 'not_a_workspace')) return false
    throw error
  }
}

const refuseReplacing = (given: string, path: string, mayReplace: boolean): void => {
  if (stores.has(extname(path).toLowerCase()))
    throw new UsageError(`${given} may be a store: an export does not replace it. Nothing was written.`)
  if (!mayReplace) throw new AlreadyThere(given)
}

/** Learns it by making a file there for a moment, as rights alone do not tell (read-only and virtual disks). */
const refuseUnwritable = async (folder: string): Promise<void> => {
  const probe = join(folder, `.nirs-export-${randomUUID()}.tmp`)
  try {
    await (await open(probe, 'wx')).close()
    await rm(probe)
  } catch (error) {
    throw new StorageError(
      'write_failed',
      `Nothing can be written in ${folder} (${systemCode(error) ?? 'unknown cause'}). Nothing was written.`,
      { path: folder, hint: 'Choose another folder.' },
      error,
    )
  }
}

const unusable = (given: string, error: unknown) =>
  new UsageError(`${given} cannot be written to (${systemCode(error) ?? String(error)}). Nothing was written.`, { cause: error })
