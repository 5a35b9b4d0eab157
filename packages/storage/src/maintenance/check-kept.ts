import { join } from 'node:path'
import { identityOf } from '../files/file-identity.ts'
import { exists } from '../files/move-file.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { isInPlace, modelPlace } from '../trash/model-place.ts'
import { type Contents, checkTrashFiles, type ModelFile, noContents, readManifest } from '../trash/trash-manifest.ts'
import { trashPlaces } from '../trash/trash-places.ts'
import { some } from '../workspace/find-missing-models.ts'
import type { RemovalJournal } from './removal-journal.ts'

/** Models that are no longer what went to the trash: nothing holds them as they are. */
export const changedModels = async (layout: Layout, { files }: Contents): Promise<string[]> => {
  const changed: string[] = []
  for (const file of files) {
    if ((await exists(await modelPlace(layout, file.path))) && !(await isInPlace(layout, file))) changed.push(file.path)
  }
  return changed
}

export const warningsOfChanged = (changed: readonly string[]): string[] =>
  changed.length === 0 ? [] : [`These models stay, since others have written them by now: ${some([...changed].sort())}.`]

/** Nothing goes that the trash does not hold. A model that is one file with its copy there is as it is: if it has changed, it stays. Throws `trash_damaged`. */
export const checkKept = async (layout: Layout, { files }: Contents, { operation }: RemovalJournal): Promise<void> => {
  const { artifacts } = trashPlaces(layout, operation)
  const shared: ModelFile[] = []
  for (const file of files) {
    const identity = await identityOf(join(artifacts, file.path))
    if (identity !== null && identity === (await identityOf(await modelPlace(layout, file.path)))) shared.push(file)
  }
  await checkTrashFiles(layout, await readManifest(layout, operation), { ...noContents, files: shared })
}
