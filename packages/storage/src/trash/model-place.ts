import { dirname, join } from 'node:path'
import { refuseLink } from '../migration/refuse-layout.ts'
import type { Layout } from '../migration/workspace-layout.ts'

/** The path of a model below artifacts/. Refuses one of which a folder is a link to another place. */
export const modelPlace = async ({ root }: Layout, path: string): Promise<string> => {
  const artifacts = join(root, 'artifacts')
  const file = join(artifacts, path)
  for (let folder = dirname(file); folder.length >= artifacts.length; folder = dirname(folder)) await refuseLink(folder)
  return file
}
