import { join } from 'node:path'
import { exists } from '../files/move-file.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { holdsModel, modelPlace } from './model-place.ts'
import { Contents, type ModelFile, noContents, readJson } from './trash-manifest.ts'
import { trashPlaces } from './trash-places.ts'

/**
 * What single restores have brought back. A model that has gone since does not count, nor one that has changed as long as the trash has it
 * as it was: that copy may be the last.
 */
export const readRestored = async (layout: Layout, operation: string): Promise<Contents> => {
  const places = trashPlaces(layout, operation)
  const noted = (await readJson(places.restored, Contents)) ?? noContents
  const files: ModelFile[] = []
  for (const file of noted.files) {
    const place = await modelPlace(layout, file.path)
    const isThere =
      (await holdsModel(place, file)) || ((await exists(place)) && !(await holdsModel(join(places.artifacts, file.path), file)))
    if (isThere) files.push(file)
  }
  return { ...noted, files }
}
