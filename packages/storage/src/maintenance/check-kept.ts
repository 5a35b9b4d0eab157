import { join } from 'node:path'
import { isStorageError, StorageError } from '../errors.ts'
import { identityOf } from '../files/file-identity.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { modelPlace } from '../trash/model-place.ts'
import { type Contents, checkTrashFiles, type ModelFile, noContents, readManifest } from '../trash/trash-manifest.ts'
import { trashPlaces } from '../trash/trash-places.ts'
import { some } from '../workspace/find-missing-models.ts'
import type { RemovalJournal } from './removal-journal.ts'

export const warningsOfChanged = (changed: readonly string[]): string[] =>
  changed.length === 0 ? [] : [`These models stay, since others have written them by now: ${some([...changed].sort())}.`]

/**
 * Nothing goes that the trash does not hold. Copies of models that stay, or have gone, keep nothing from going on. A model that is one file
 * with its copy is as it is: if it has changed, it stays. Throws `trash_damaged`.
 */
export const checkKept = async (
  layout: Layout,
  { files }: Contents,
  { operation }: RemovalJournal,
  changed: readonly string[],
): Promise<void> => {
  const { artifacts } = trashPlaces(layout, operation)
  const unneeded: ModelFile[] = []
  for (const file of files) {
    const identity = await identityOf(await modelPlace(layout, file.path))
    const isShared = identity !== null && identity === (await identityOf(join(artifacts, file.path)))
    if (identity === null || isShared || changed.includes(file.path)) unneeded.push(file)
  }
  try {
    await checkTrashFiles(layout, await readManifest(layout, operation), { ...noContents, files: unneeded })
  } catch (error) {
    throw isStorageError(error, 'trash_damaged') ? staysClosed(error) : error
  }
}

const staysClosed = ({ code, message, fields, cause }: StorageError): StorageError =>
  new StorageError(
    code,
    message,
    {
      ...fields,
      hint: 'Restore the file from a backup of the workspace and open it again: until then a removal that had begun keeps it closed to changes.',
    },
    cause,
  )
