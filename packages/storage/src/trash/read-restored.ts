import { join } from 'node:path'
import { isSameFile } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { modelPlace } from './model-place.ts'
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
    const { path, bytes, sha256 } = file
    const [place, mark] = [await modelPlace(layout, path), { bytes, mtime_ns: '', sha256 }]
    const isWhole = await isSameFile(place, mark)
    if (isWhole || ((await exists(place)) && !(await isSameFile(join(places.artifacts, path), mark)))) files.push(file)
  }
  return { ...noted, files }
}
