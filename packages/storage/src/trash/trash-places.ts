import { join } from 'node:path'
import { StorageError } from '../errors.ts'
import { OperationId } from '../files/inside-names.ts'
import { refuseLayout, refuseLink } from '../migration/refuse-layout.ts'
import type { Layout } from '../migration/workspace-layout.ts'

/** Where one operation keeps what it has removed. */
export interface TrashPlaces {
  readonly trash: string
  readonly folder: string
  /** Written last and removed first: without it the folder counts for nothing. */
  readonly manifest: string
  readonly contents: string
  /** Figures of chains that lose predictions; not there when none does. */
  readonly figures: string
  readonly arrays: string
  readonly artifacts: string
  /** What has been restored so far. */
  readonly restored: string
  /** What the restore under way brings back. */
  readonly restoring: string
}

export const trashFolder = (layout: Layout): string => join(layout.control, 'trash')

export const isOperationId = (name: string): boolean => OperationId.safeParse(name).success

/** Throws `trash_not_found` for a name that is none of ours; it comes from the command line or the network. */
export const trashPlaces = (layout: Layout, operation: string): TrashPlaces => {
  if (!isOperationId(operation)) throw notInTrash(operation)
  const trash = trashFolder(layout)
  const folder = join(trash, operation)
  return {
    trash,
    folder,
    manifest: join(folder, 'manifest.json'),
    contents: join(folder, 'contents.json'),
    figures: join(folder, 'figures.json'),
    arrays: join(folder, 'arrays'),
    artifacts: join(folder, 'artifacts'),
    restored: join(folder, 'restored.json'),
    restoring: join(folder, 'restoring.json'),
  }
}

export const notInTrash = (operation: string) =>
  new StorageError('trash_not_found', `The trash holds no operation ${operation.slice(0, 200)}. Nothing was changed.`, {
    hint: 'List the trash to see what can be restored.',
  })

/** What is written to and taken away, of these operations too, must be inside the workspace itself. Throws `path_not_allowed`, `read_only`. */
export const refuseLinksFor = async (layout: Layout, ...operations: readonly string[]): Promise<void> => {
  await refuseLayout(layout)
  for (const path of [trashFolder(layout), join(layout.root, 'artifacts')]) await refuseLink(path)
  for (const operation of operations) for (const path of foldersOf(layout, operation)) await refuseLink(path)
}

/** The folders of an operation, whether they are there or not. */
export const foldersOf = (layout: Layout, operation: string): string[] => {
  const { folder, arrays, artifacts } = trashPlaces(layout, operation)
  return [folder, arrays, artifacts]
}
