import { realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { StorageError } from '../errors.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { look } from '../workspace/look-at.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'

/**
 * Sources are only read, and a target must not be its own source: refuses a target inside of a source, and files of the target itself.
 * Throws `path_not_allowed`, for a target that may still be nowhere.
 */
export const refuseNested = async (target: string, sourcePaths: readonly string[]): Promise<void> => {
  const real = await realPlace(target)
  const { arrays, control } = layoutOf(real)
  const own = await Promise.all([arrays, control].map(realPlace))
  for (const path of sourcePaths) {
    const { root, parquet } = await resolveWorkspace(path)
    if (parquet === null && isInside(real, root)) throw insideSource(target, root)
    const place = parquet ?? root
    if (own.some((folder) => place === folder || isInside(place, folder))) throw ownFile(place)
  }
}

const isInside = (path: string, folder: string): boolean => path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** Where a path leads, or would when it is made. */
const realPlace = async (path: string): Promise<string> => {
  if ((await look(path)) !== null) return realpath(path)
  return dirname(path) === path ? path : join(await realPlace(dirname(path)), basename(path))
}

const insideSource = (target: string, root: string) =>
  new StorageError('path_not_allowed', `${target} lies inside the source ${root}, which is only read. Nothing was changed.`, {
    path: target,
    hint: 'Choose a target outside of every source.',
  })

const ownFile = (path: string) =>
  new StorageError('path_not_allowed', `${path} belongs to the target itself. Nothing was changed.`, {
    path,
    hint: 'Name workspaces other than the target, or files of theirs.',
  })
