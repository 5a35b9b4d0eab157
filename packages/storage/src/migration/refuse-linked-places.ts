import { dirname, join } from 'node:path'
import { StorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { mergePlaces } from '../merge/merge-journal.ts'
import { flushFolder } from '../store/flush-journal.ts'
import { modelPlace } from '../trash/model-place.ts'
import { Contents, readJson } from '../trash/trash-manifest.ts'
import { foldersOf, trashPlaces } from '../trash/trash-places.ts'
import { lookAtLink } from '../workspace/look-at.ts'
import type { Journal } from './journal.ts'
import { refuseLinkedWay, refuseLinks } from './refuse-layout.ts'
import { type Layout, placesOf } from './workspace-layout.ts'

/**
 * Whatever finishes or undoes this job stays inside the workspace, or nothing of it is begun: the workspace may come from elsewhere. Throws
 * `path_not_allowed`, `trash_damaged`. The files of a roll back are named by its proof: see finish-rollback.ts.
 */
export const refuseLinkedPlaces = async (layout: Layout, journal: Journal): Promise<void> => {
  await refuseLinks(layout)
  for (const folder of new Set(foldersIn(layout, journal))) await refuseLinkedWay(layout, folder)
  if (journal.kind !== 'remove' && journal.kind !== 'restore') return
  if (journal.phase === 'prepare') return
  for (const name of storeNames) await refuseLinkedStore(join(layout.root, name))
  const { contents, manifest, restoring } = trashPlaces(layout, journal.operation)
  if (journal.kind === 'remove' && !(await exists(manifest))) return
  const found = await readJson(journal.kind === 'remove' ? contents : restoring, Contents)
  for (const { path } of found?.files ?? []) await modelPlace(layout, path)
}

const foldersIn = (layout: Layout, journal: Journal): string[] => {
  const around = (files: readonly { target: string; replaced: string | null }[]) =>
    files.flatMap(({ target, replaced }) =>
      [target, ...(replaced === null ? [] : [replaced])].map((path) => dirname(join(layout.root, path))),
    )
  switch (journal.kind) {
    case 'migrate': {
      const { staging, replaced } = placesOf(layout, journal.job_id)
      return [staging, replaced, ...around([...journal.placed, ...journal.removed])]
    }
    case 'rollback':
      return [placesOf(layout, journal.migration).replaced, join(layout.root, journal.kept, 'arrays')]
    case 'merge': {
      const { staging, replaced, models } = mergePlaces(layout, journal.job_id)
      const kept = journal.trash === null ? [] : foldersOf(layout, journal.trash)
      return [staging, replaced, models, ...kept, ...around([...journal.placed, ...journal.models])]
    }
    case 'remove':
    case 'restore':
      return foldersOf(layout, journal.operation)
    case 'flush':
      return [flushFolder(layout, journal.job_id)]
    case 'vacuum':
      return []
  }
}

/** With their logs, all of which an engine that opens a store for writing writes to or takes away. */
const storeNames = ['duckdb', 'duckdb.wal', 'sqlite', 'sqlite-wal', 'sqlite-shm', 'sqlite-journal'].map((ending) => `store.${ending}`)

/** Rows go from the store itself, and come back into it. */
const refuseLinkedStore = async (path: string): Promise<void> => {
  if ((await lookAtLink(path))?.isSymbolicLink() !== true) return
  throw new StorageError('path_not_allowed', 'A job on this workspace was interrupted, and its store is a link. Nothing was changed.', {
    path,
    hint: 'Put the file itself there instead of the link, then open the workspace again.',
  })
}
