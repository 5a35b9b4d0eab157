import { dirname, join } from 'node:path'
import { isSameFile } from '../files/hash-file.ts'
import { refuseLinkedWay } from '../migration/refuse-layout.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import type { ModelFile } from './trash-manifest.ts'

/** The path of a model below artifacts/. Refuses one of which a folder is a link to another place. */
export const modelPlace = async (layout: Layout, path: string): Promise<string> => {
  const file = join(layout.root, 'artifacts', path)
  await refuseLinkedWay(layout, dirname(file))
  return file
}

/** Whether the model that an operation has kept is at its place, to the byte. */
export const isInPlace = async (layout: Layout, { path, bytes, sha256 }: ModelFile): Promise<boolean> =>
  isSameFile(await modelPlace(layout, path), { bytes, mtime_ns: '', sha256 })
