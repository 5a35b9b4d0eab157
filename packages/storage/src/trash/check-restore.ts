import { join } from 'node:path'
import type { RestorePreview } from '@nirs-workspace/types'
import { readTombstones } from '../arrays/tombstones.ts'
import { StorageError } from '../errors.ts'
import { resolveMaintained, withPlanning } from '../maintenance/maintenance-workspace.ts'
import { isOfStore, type MetadataStore, type SavedRows, type SharedPlace } from '../maintenance/metadata-store.ts'
import type { RestoreJournal } from '../maintenance/removal-journal.ts'
import { countSelection } from '../maintenance/selection.ts'
import { type Layout, layoutOf } from '../migration/workspace-layout.ts'
import { checkText, checkTexts } from '../options/check-options.ts'
import { checkParents, describeProjects } from './check-parents.ts'
import { chooseItems } from './choose-restore.ts'
import { withoutRestored } from './finish-restore.ts'
import { describeMissingModels } from './missing-models.ts'
import { findMissingParents } from './missing-parents.ts'
import { replacedModels } from './model-place.ts'
import { readContents } from './read-contents.ts'
import { readRestored } from './read-restored.ts'
import { replacedArrays } from './replaced-arrays.ts'
import { type Contents, checkTrashFiles, readManifest, type TrashManifest } from './trash-manifest.ts'
import { refuseLinksFor, type TrashPlaces, trashPlaces } from './trash-places.ts'

export interface RestoreChoice {
  /** What of the operation is only in the trash. */
  readonly left: Contents
  readonly selected: Contents
  /** The files in which the selected rows are, and what of them does not come back. */
  readonly rows: readonly SavedRows[]
  readonly evidence: RestoreJournal['evidence']
  readonly warnings: readonly string[]
}

/** What a restore would put back. Throws `trash_not_found`, `restore_conflict`, `tombstones_corrupt`; changes nothing. */
export const chooseRestore = async (
  layout: Layout,
  manifest: TrashManifest,
  metadata: MetadataStore,
  ids: readonly string[] | undefined,
): Promise<RestoreChoice> => {
  const { operation_id } = manifest
  const places = trashPlaces(layout, operation_id)
  const all = await readContents(layout, operation_id)
  const left = withoutRestored(all, await readRestored(layout, operation_id))
  if (left.tables.some(({ file }) => !isOfStore(metadata, file))) throw ofOtherStore(metadata, places)
  const items = ids === undefined ? left : await chooseItems(metadata, places.folder, left, ids)
  const selected = { ...items, tables: await withLineage(metadata, places, items.tables, all.lineage ?? []) }
  // From a damaged list the predictions could not be taken.
  if (selected.arrays.length > 0) await readTombstones(layout.arrays)
  await checkModels(layout, selected)
  const evidence = await checkRoom(metadata, selected)
  const replaced = await replacedArrays(layout, places, selected.arrays)
  if (replaced.length > 0) throw conflict(`others have saved other arrays of ${counted(replaced, 'prediction')}`, replaced)
  const saved = savedRows(places, selected.tables)
  const homeless = await checkParents(layout, manifest, metadata, saved)
  await checkPlaces(metadata, saved, mayShare(manifest, all))
  const emptied = { column: 'project_id', values: [...new Set(homeless.map(({ id }) => id))] }
  const rows = saved.map((part) => (part.table === 'runs' ? { ...part, emptied } : part))
  const warnings = [...describeProjects(homeless), ...(await describeMissingModels(layout, metadata, saved))]
  return { left, selected, rows, evidence, warnings }
}

/** The files of the trash in which rows of a selection are. */
const savedRows = ({ folder }: TrashPlaces, tables: Contents['tables']): SavedRows[] =>
  tables.map(({ table, file, keys }) => ({ table, keys, path: join(folder, file) }))

/** With the rows that these belong to, which have gone since and which the operation has kept for that. */
const withLineage = async (
  metadata: MetadataStore,
  places: TrashPlaces,
  tables: Contents['tables'],
  lineage: Contents['tables'],
): Promise<Contents['tables']> => {
  let needed: Contents['tables'] = []
  for (;;) {
    const missing = await findMissingParents(metadata, savedRows(places, [...needed, ...tables]))
    const found = lineage.flatMap((part) => {
      const ids = new Set(missing.flatMap(({ parent, id }) => (parent === part.table ? [id] : [])))
      const before = needed.find(({ table }) => table === part.table)?.keys ?? []
      const keys = [...before, ...part.keys.filter((key) => ids.has(key))]
      return keys.length === 0 ? [] : [{ ...part, keys }]
    })
    if (missing.every(({ parent, id }) => found.find(({ table }) => table === parent)?.keys.includes(id) !== true))
      return [...found, ...tables]
    needed = found
  }
}

/**
 * What would come back, of the whole operation or of the items `ids`. Throws what `restoreTrash` would refuse now, from hashes of the trash
 * to rows that have taken a place, or that are missing. What else is to be known before: warnings. Reads only.
 */
export const checkRestore = async (path: string, operation: string, ids?: readonly string[]): Promise<RestorePreview> => {
  checkText('operation', operation)
  if (ids !== undefined) checkTexts('ids', ids)
  const resolved = await resolveMaintained(path)
  const layout = layoutOf(resolved.root)
  const manifest = await readManifest(layout, operation)
  await refuseLinksFor(layout, operation)
  await checkTrashFiles(layout, manifest, await readRestored(layout, operation))
  const choice = await withPlanning(resolved, new Date(), ({ metadata }) => chooseRestore(layout, manifest, metadata, ids))
  return { counts: countSelection(choice.selected), warnings: [...choice.warnings] }
}

/** Refuses rows whose place has been taken, and names those that are not there yet: they tell later whether the transaction is done. */
const checkRoom = async (metadata: MetadataStore, { tables }: Contents): Promise<RestoreJournal['evidence']> => {
  let evidence: RestoreJournal['evidence'] = null
  for (const { table, keys } of tables) {
    const key = metadata.shapes.get(table)?.key
    if (typeof key !== 'string') throw conflict(`the store has no table ${table} any more`, [])
    const taken = new Set(await metadata.keysWhere(table, key, keys))
    const isShared = table !== 'predictions'
    if (taken.size > 0 && !isShared)
      throw conflict(`${taken.size === 1 ? '1 prediction is' : `${taken.size} predictions are`} there again`, [...taken])
    const free = keys.filter((candidate) => !taken.has(candidate))
    // Rows of logs and models are tidied up by others sooner than predictions.
    if (free.length > 0 && (evidence === null || table === 'predictions')) evidence = { table, keys: free }
  }
  return evidence
}

type MayShare = (id: string, holder: string) => boolean

/** Whether a prediction comes back beside one that has its natural key: only when the store had both of them so before. */
const mayShare = ({ kind, twins, doubled = [] }: TrashManifest, { tables }: Contents): MayShare => {
  const before = new Set([...(twins ?? []), ...tables.flatMap(({ table, keys }) => (table === 'predictions' ? keys : []))])
  const trusted = new Set(twins === undefined && kind !== 'merge' ? doubled : [])
  return (id, holder) => before.has(holder) || trusted.has(id)
}

/**
 * Refuses predictions whose place others have by now, as what replaced them in a merge, or what has been saved anew under another id: nirs4all
 * deletes one of two with the same natural key. And what the unique index of the store would refuse.
 */
const checkPlaces = async (metadata: MetadataStore, rows: readonly SavedRows[], isAllowed: MayShare): Promise<void> => {
  for (const part of rows) {
    if (part.table !== 'predictions') continue
    const places = await metadata.sharedPlaces(part)
    const taken = places.flatMap(({ ids, holders }) => ids.filter((id) => holders.some((holder) => !isAllowed(id, holder))))
    const inTheWay = places.flatMap(({ ids, holders }) => holders.filter((holder) => ids.some((id) => !isAllowed(id, holder))))
    if (taken.length > 0) throw placesTaken(taken, inTheWay)
    const unique = places.find(({ isUnique }) => isUnique)
    if (unique !== undefined) throw onlyOneFits(unique)
  }
}

const placesTaken = (ids: readonly string[], holders: readonly string[]): StorageError =>
  conflict(
    `others have been saved in the place of ${counted(ids, 'prediction')}`,
    ids,
    `Remove ${counted(holders, 'prediction')}${named(holders)} first, which ${holders.length === 1 ? 'has' : 'have'} their place, or restore other items by their ids.`,
  )

const onlyOneFits = ({ ids, holders }: SharedPlace): StorageError => {
  const all = [...holders, ...ids]
  return conflict(
    `the store takes only one of ${counted(all, 'prediction')} by now, which shared a place when they went`,
    all,
    holders.length > 0 ? `Remove ${holders[0]} first, then restore one of the others by its id.` : 'Restore one of them by its id.',
  )
}

/** A model that is there already counts as restored, and its copy in the trash goes: so it has to be the same. */
const checkModels = async (layout: Layout, { files }: Contents): Promise<void> => {
  const taken = await replacedModels(layout, files)
  if (taken.length > 0) throw namesTaken(taken)
}

const counted = ({ length }: readonly string[], what: string): string => `${length} ${what}${length === 1 ? '' : 's'}`

const named = (ids: readonly string[]): string => {
  const first = ids.slice(0, 3).map((id) => id.slice(0, 100))
  return ids.length === 0 ? '' : ` (${first.join(', ')}${ids.length > first.length ? ', …' : ''})`
}

export const namesTaken = (paths: readonly string[]): StorageError =>
  conflict(`other files have taken the names of ${counted(paths, 'model')}`, paths)

const ofOtherStore = ({ fileEnding }: MetadataStore, { folder }: TrashPlaces): StorageError => {
  const isSqlite = fileEnding === 'jsonl'
  const [other, own] = isSqlite ? ['store.duckdb', 'store.sqlite'] : ['store.sqlite', 'store.duckdb']
  const kept = isSqlite ? ', which nirs4all keeps as store.duckdb.bak' : ''
  return new StorageError(
    'restore_conflict',
    `It cannot be restored: its rows were kept from a ${other}, and the workspace has a ${own} by now. Nothing was restored.`,
    { path: folder, hint: `Restore it in a copy of the workspace that has its ${other} of before${kept}.` },
  )
}

const conflict = (what: string, ids: readonly string[], hint = 'Remove what has taken their place, or restore other items by their ids.') =>
  new StorageError('restore_conflict', `It cannot be restored: ${what}${named(ids)}. Nothing was restored.`, {
    ids: ids.slice(0, 100),
    hint,
  })
