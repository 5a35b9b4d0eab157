import { exists } from '../files/move-file.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { modelPlace } from './model-place.ts'
import { Contents, type ModelFile, noContents, readJson } from './trash-manifest.ts'
import { trashPlaces } from './trash-places.ts'

/** What single restores have brought back. A model that has gone since does not count: it comes back again, from the copy that is kept. */
export const readRestored = async (layout: Layout, operation: string): Promise<Contents> => {
  const noted = (await readJson(trashPlaces(layout, operation).restored, Contents)) ?? noContents
  const files: ModelFile[] = []
  for (const file of noted.files) if (await exists(await modelPlace(layout, file.path))) files.push(file)
  return { ...noted, files }
}
