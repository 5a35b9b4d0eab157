import { StorageError } from '../errors.ts'
import { inTableOrder, type MetadataStore, type SavedRows } from '../maintenance/metadata-store.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { counted } from '../workspace/counted-text.ts'
import { findMissingParents, type MissingParent } from './missing-parents.ts'
import { keysIn, readTrash } from './read-trash.ts'
import type { TrashManifest } from './trash-manifest.ts'

/**
 * Refuses rows that would come back without what they belong to, whether or not the store would. Rows that had lost it before they went come
 * back as they were where the store takes them. Answers which runs have lost their project: as those that stayed, they come back without one.
 */
export const checkParents = async (
  layout: Layout,
  { parentless = [] }: TrashManifest,
  metadata: MetadataStore,
  rows: readonly SavedRows[],
): Promise<MissingParent[]> => {
  const before = new Map(parentless.map(({ table, keys }) => [table, new Set(keys)] as const))
  const all = await findMissingParents(metadata, rows)
  const needed = all.filter(({ parent }) => parent !== 'projects')
  const missing = needed.filter(({ table, key, isEnforced }) => isEnforced || before.get(table)?.has(key) !== true)
  if (missing.length > 0) throw await withoutParents(layout, metadata, missing)
  return all.filter(({ parent }) => parent === 'projects')
}

const withoutParents = async (layout: Layout, metadata: MetadataStore, missing: readonly MissingParent[]): Promise<StorageError> => {
  const parents = [...new Map(missing.map(({ parent, id }) => [`${parent}\n${id}`, { table: parent, id }] as const)).values()]
  const names = inTableOrder(metadata.shapes, parents).map(({ table, id }) => `${table.replace(/s$/, '')} ${id.slice(0, 100)}`)
  const rows = [...new Set(missing.map(({ key }) => key))]
  const belong = counted(rows.length, 'row belongs', 'rows belong')
  return new StorageError(
    'restore_conflict',
    `It cannot be restored: the store lacks ${listed(names)}, to which ${belong}. Nothing was restored.`,
    {
      ids: rows.slice(0, 100),
      hint: await whereTheyAre(layout, parents),
    },
  )
}

const whereTheyAre = async (layout: Layout, parents: readonly { table: string; id: string }[]): Promise<string> => {
  let nowhere = [...parents]
  const operations: string[] = []
  for (const part of await readTrash(layout)) {
    const left = nowhere.filter(({ table, id }) => keysIn(part, table, [id]).length === 0)
    if (left.length < nowhere.length) operations.push(part.operation)
    nowhere = left
  }
  const first = operations.length === 0 ? '' : `Restore ${operations.join(', then ')} first. `
  const lost =
    nowhere.length === 0
      ? ''
      : `${listed(nowhere.map(({ id }) => id.slice(0, 100)))}: in no operation of the trash. Restore other items by their ids.`
  return `${first}${lost}`.trim()
}

/** What is said of runs that come back without their project. */
export const describeProjects = (runs: readonly MissingParent[]): string[] => {
  if (runs.length === 0) return []
  const projects = listed([...new Set(runs.map(({ id }) => id.slice(0, 100)))])
  const names = listed(runs.map(({ key }) => key.slice(0, 100)))
  return [
    runs.length === 1
      ? `The project of run ${names} is not there any more (${projects}): the run comes back without one.`
      : `The projects of runs ${names} are not there any more (${projects}): the runs come back without one.`,
  ]
}

const listed = (names: readonly string[]): string =>
  new Intl.ListFormat('en').format(names.length <= 3 ? names : [...names.slice(0, 2), `${names.length - 2} more`])
