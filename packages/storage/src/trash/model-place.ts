import { dirname, join } from 'node:path'
import { refuseLinkedWay } from '../migration/refuse-layout.ts'
import type { Layout } from '../migration/workspace-layout.ts'

/** The path of a model below artifacts/. Refuses one of which a folder is a link to another place. */
export const modelPlace = async (layout: Layout, path: string): Promise<string> => {
  const file = join(layout.root, 'artifacts', path)
  await refuseLinkedWay(layout, dirname(file))
  return file
}
