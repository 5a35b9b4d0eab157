import { basename, dirname, join } from 'node:path'
import type { ArrayOperations } from '../array-store/array-operations.ts'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { isStorageError } from '../errors.ts'
import { removeEmptyFolder, syncFolder, unlink } from '../files/disk.ts'
import { exists } from '../files/move-file.ts'
import { removeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { dropOperation } from '../trash/drop-operation.ts'
import { changesOf, describeLoss, type KeptFigures, readKeptFigures } from '../trash/kept-figures.ts'
import { modelPlace, replacedModels } from '../trash/model-place.ts'
import { namedModels } from '../trash/named-models.ts'
import { Contents, damagedTrash, readJson } from '../trash/trash-manifest.ts'
import { refuseLinksFor, type TrashPlaces, trashPlaces } from '../trash/trash-places.ts'
import { some } from '../workspace/find-missing-models.ts'
import { checkKept, warningsOfChanged } from './check-kept.ts'
import { resolveMaintained, withMetadata } from './maintenance-workspace.ts'
import type { MetadataStore } from './metadata-store.ts'
import { openArrays } from './open-arrays.ts'
import type { RemovalJournal } from './removal-journal.ts'
import { type Division, divideRows, warningsOfStaying } from './rows-in-use.ts'

/**
 * Carries a removal through whose commit has begun: rows, arrays, models, in this order. Every step can be repeated. What others have changed
 * or use since stays, which is said. An operation without its manifest was being taken back; then that is what is carried through.
 * Throws `trash_damaged` before its first step.
 */
export const finishRemoval = async (layout: Layout, journal: RemovalJournal): Promise<string[]> => {
  await refuseLinksFor(layout, journal.operation)
  const places = trashPlaces(layout, journal.operation)
  if (!(await exists(places.manifest))) {
    await undoRemoval(layout, journal)
    return []
  }
  const contents = await contentsOf(layout, journal)
  // Models that are no longer what went to the trash: nothing holds them as they are.
  const changed = await replacedModels(layout, contents.files)
  await checkKept(layout, contents, journal, changed)
  const { division, known } = await removeRows(layout, contents, places)
  const left = await removeRest(layout, { ...contents, files: contents.files.filter(({ path }) => !changed.includes(path)) }, known)
  return [...warningsOfStaying(division), ...warningsOfKnown(contents, division, known), ...left, ...warningsOfChanged(changed)]
}

interface RowsRemoved {
  readonly division: Division
  /** Predictions that the store knows all the same: arrays of the trash whose prediction stays or has come, and others with a stale mark. */
  readonly known: ReadonlySet<string>
}

const removeRows = async (layout: Layout, contents: Contents, places: TrashPlaces): Promise<RowsRemoved> => {
  const { tables, arrays, datasets } = contents
  if (tables.length + arrays.length + datasets.length === 0) return { division: { goes: [], stays: [] }, known: new Set() }
  return withMetadata(await resolveMaintained(layout.root), async (_, metadata) => {
    const division = await divideRows(metadata, contents, places.folder)
    if (tables.length > 0)
      await metadata.deleteRows(division.goes, changesOf(await figuresLeft(metadata, division, await readKeptFigures(places))))
    return { division, known: await knownStill(layout, contents, metadata) }
  })
}

/** Of the arrays in the trash, and where a dataset goes of those with a mark, what the store knows now that the rows are gone. */
export const knownStill = async (layout: Layout, { arrays, datasets }: Contents, metadata: MetadataStore): Promise<ReadonlySet<string>> => {
  const marked = datasets.length === 0 ? [] : [...((await readTombstonesIfSound(layout.arrays))?.keys() ?? [])]
  return new Set(await metadata.keysWhere('predictions', 'prediction_id', [...arrays, ...marked]))
}

/** Arrays that stay although no row of their prediction was to go, in words. */
const warningsOfKnown = ({ arrays }: Contents, { stays }: Division, known: ReadonlySet<string>): string[] => {
  const rows = new Set(stays.find(({ table }) => table === 'predictions')?.keys)
  const ids = arrays.filter((id) => known.has(id) && !rows.has(id))
  if (ids.length === 0) return []
  return [`The arrays of these predictions stay, since the store knows them by now: ${some(ids)}. The trash holds them as they were.`]
}

/** Figures of chains that lose predictions: those that the trash has were worked out for all that it holds going. */
const figuresLeft = async (
  metadata: MetadataStore,
  { goes, stays }: Division,
  kept: readonly KeptFigures[],
): Promise<readonly KeptFigures[]> => {
  if (stays.length === 0) return kept
  const keysOf = (name: string) => new Set(goes.find(({ table }) => table === name)?.keys)
  const chains = kept.map(({ chain_id }) => chain_id)
  return describeLoss(metadata, chains, keysOf('predictions'), keysOf('chains'))
}

/** What follows once the rows are gone, but for the arrays of predictions that stay. The journal goes last. What is only marked, in words. */
export const removeRest = async (layout: Layout, contents: Contents, stays: ReadonlySet<string> = new Set()): Promise<string[]> => {
  const arrays = openArrays(layout.root)
  const ids = new Set(contents.arrays).difference(stays)
  const removed = (await readTombstonesIfSound(layout.arrays)) ?? new Map<string, string>()
  // What others have saved since stays: it is not in the trash. Rows removed before are, and go unless their prediction stays.
  const all = ids.union(new Set(removed.keys())).difference(stays)
  const warnings: string[] = []
  for (const dataset of contents.datasets) warnings.push(...(await dropRows(arrays, dataset, all)))
  if (ids.size > 0) await arrays.deleteBatch(ids)
  const artifacts = join(layout.root, 'artifacts')
  const folders = new Set<string>()
  const named = await modelsInUse(layout, contents)
  for (const { path } of contents.files) {
    const file = await modelPlace(layout, path)
    folders.add(dirname(file))
    if (!named.has(path) && (await exists(file))) await unlink(file)
  }
  for (const folder of folders) {
    if (await exists(folder)) await syncFolder(folder)
    if (folder !== artifacts) await removeEmptyFolder(folder)
  }
  await removeJournal(layout)
  return warnings
}

/** A file that cannot be written anew must not hold up what has begun: its rows get their marks after this, as those of single predictions do. */
const dropRows = async (arrays: ArrayOperations, dataset: string, ids: ReadonlySet<string>): Promise<string[]> => {
  try {
    await arrays.deleteDataset(dataset, ids)
    return []
  } catch (error) {
    if (!isStorageError(error, 'arrays_corrupt', 'store_too_new')) throw error
    const paths = error.fields.ids ?? [error.fields.path ?? '']
    return paths.map(
      (path) =>
        `arrays/${basename(path)} cannot be written anew, so that the rows of ${JSON.stringify(dataset)} in it are only marked as removed: they go with a compaction once it can be.`,
    )
  }
}

/** Somebody may have saved the same model again since its row went. */
const modelsInUse = async (layout: Layout, { files }: Contents): Promise<ReadonlySet<string>> =>
  files.length === 0 ? new Set() : withMetadata(await resolveMaintained(layout.root), (_, metadata) => namedModels(metadata, files))

/** Takes back what a removal did before its commit: the workspace is as it was. */
export const undoRemoval = async (layout: Layout, { operation }: RemovalJournal): Promise<void> => {
  await refuseLinksFor(layout, operation)
  await dropOperation(trashPlaces(layout, operation))
  await removeJournal(layout)
}

const contentsOf = async (layout: Layout, { operation }: RemovalJournal): Promise<Contents> => {
  const { contents } = trashPlaces(layout, operation)
  const found = await readJson(contents, Contents)
  if (found === null) throw damagedTrash(contents, 'is no longer there')
  return found
}
