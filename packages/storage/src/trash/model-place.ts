import { dirname, join } from 'node:path'
import { isSameFile } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import { refuseLinkedWay } from '../migration/refuse-layout.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import type { ModelFile } from './trash-manifest.ts'

/** The path of a model below artifacts/. Refuses one of which a folder is a link to another place. */
export const modelPlace = async (layout: Layout, path: string): Promise<string> => {
  const file = join(layout.root, 'artifacts', path)
  await refuseLinkedWay(layout, dirname(file))
  return file
}

/** Whether this file holds a model as an operation has kept it, to the byte. */
export const holdsModel = (path: string, { bytes, sha256 }: ModelFile): Promise<boolean> =>
  isSameFile(path, { bytes, mtime_ns: '', sha256 })

/** Whether the model that an operation has kept is at its place. */
export const isInPlace = async (layout: Layout, file: ModelFile): Promise<boolean> => holdsModel(await modelPlace(layout, file.path), file)

/** The models in whose place others have put another file. */
export const replacedModels = async (layout: Layout, files: readonly ModelFile[]): Promise<string[]> => {
  const replaced: string[] = []
  for (const file of files) {
    const place = await modelPlace(layout, file.path)
    if ((await exists(place)) && !(await holdsModel(place, file))) replaced.push(file.path)
  }
  return replaced
}
