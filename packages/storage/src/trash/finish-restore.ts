import { dirname, join } from 'node:path'
import { removeEmptyFolder, syncFolder, unlink } from '../files/disk.ts'
import { exists, unlinkIfThere } from '../files/move-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { resolveMaintained, withMetadata } from '../maintenance/maintenance-workspace.ts'
import { openArrays } from '../maintenance/open-arrays.ts'
import type { RestoreJournal } from '../maintenance/removal-journal.ts'
import { removeJournal, writeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { namesIn } from '../workspace/look-at.ts'
import { dropOperation } from './drop-operation.ts'
import { isInPlace, modelPlace } from './model-place.ts'
import { namedModels } from './named-models.ts'
import { readContents } from './read-contents.ts'
import { Contents, type ModelFile, noContents, readJson } from './trash-manifest.ts'
import { type TrashPlaces, trashPlaces } from './trash-places.ts'

/**
 * Whether everything of an interrupted restore is back: its journal says so, or the trash that is being given up, or the store and the models
 * themselves. Others may have made some of its rows by then, or changed some since: only with all of them is it done, and an undo loses nothing.
 */
export const isRestoreDone = async (layout: Layout, { phase, operation, evidence }: RestoreJournal): Promise<boolean> => {
  const { manifest, restoring } = trashPlaces(layout, operation)
  if (phase === 'done' || !(await exists(manifest))) return true
  if (evidence === null) return false
  const { files } = (await readJson(restoring, Contents)) ?? noContents
  for (const file of files) if (!(await isInPlace(layout, file))) return false
  return withMetadata(await resolveMaintained(layout.root), async (_, metadata) => {
    const key = metadata.shapes.get(evidence.table)?.key
    return typeof key === 'string' && (await metadata.keysWhere(evidence.table, key, evidence.keys)).length === evidence.keys.length
  })
}

/**
 * After the transaction: notes what has been restored; an operation of which nothing is left goes. Can be repeated. The journal says that
 * nothing is taken back any more before the trash changes, and goes last.
 */
export const finishRestore = async (layout: Layout, journal: RestoreJournal): Promise<void> => {
  const places = trashPlaces(layout, journal.operation)
  await writeJournal(layout, { ...journal, phase: 'done' })
  const restoring = await readJson(places.restoring, Contents)
  const hasManifest = await exists(places.manifest)
  if (hasManifest) await sweepParts(places)
  if (hasManifest && restoring !== null) {
    const all = await readContents(layout, journal.operation)
    const restored = united((await readJson(places.restored, Contents)) ?? noContents, restoring)
    if (isAll(all, restored)) await dropOperation(places)
    else await noteRestored(places, restored)
  } else if (!hasManifest) await dropOperation(places)
  await removeJournal(layout)
}

const noteRestored = async (places: TrashPlaces, restored: Contents): Promise<void> => {
  await writeJsonDurably(places.restored, restored)
  await unlink(places.restoring)
  await syncFolder(places.folder)
}

/** Takes back what a restore did before its transaction: arrays that belong to nothing yet, and models. The trash stays as it is. */
export const undoRestore = async (layout: Layout, { operation }: RestoreJournal): Promise<void> => {
  const places = trashPlaces(layout, operation)
  const restoring = (await readJson(places.restoring, Contents)) ?? noContents
  if (restoring.arrays.length + restoring.files.length > 0) {
    const [known, named] = await withMetadata(await resolveMaintained(layout.root), async (_, metadata) => [
      new Set(await metadata.keysWhere('predictions', 'prediction_id', restoring.arrays)),
      await namedModels(metadata, restoring.files),
    ])
    const unknown = restoring.arrays.filter((id) => !known.has(id))
    if (unknown.length > 0) await openArrays(layout.root).deleteBatch(new Set(unknown))
    for (const file of restoring.files) if (!named.has(file.path)) await takeModelBack(layout, file)
  }
  await sweepParts(places)
  await unlinkIfThere(places.restoring)
  await removeJournal(layout)
}

/** The same bytes are still in the trash. */
const takeModelBack = async (layout: Layout, model: ModelFile): Promise<void> => {
  if (!(await isInPlace(layout, model))) return
  const file = await modelPlace(layout, model.path)
  await unlink(file)
  const artifacts = join(layout.root, 'artifacts')
  for (let folder = dirname(file); folder.length > artifacts.length; folder = dirname(folder)) {
    await syncFolder(folder)
    await removeEmptyFolder(folder)
  }
}

/** The arrays of single items on their way, or a model of which the trash keeps a copy of its own. */
export const partName = 'part.parquet'

/** What a restore that died was writing into the folder of its operation. */
const sweepParts = async ({ folder }: TrashPlaces): Promise<void> => {
  for (const name of await namesIn(folder)) {
    if (name === partName || /^\.\d+-[0-9a-f-]{36}\.tmp$/.test(name)) await unlinkIfThere(join(folder, name))
  }
}

const united = (a: Contents, b: Contents): Contents => ({
  tables: [...new Set([...a.tables, ...b.tables].map(({ table }) => table))].map((table) => {
    const parts = [...a.tables, ...b.tables].filter((part) => part.table === table)
    return { table, file: parts[0]?.file ?? '', keys: [...new Set(parts.flatMap(({ keys }) => keys))] }
  }),
  arrays: [...new Set([...a.arrays, ...b.arrays])],
  datasets: [...new Set([...a.datasets, ...b.datasets])],
  files: [...new Map([...a.files, ...b.files].map((file) => [file.path, file])).values()],
})

/** Whether nothing is left of an operation when this has been restored. */
export const isAll = (all: Contents, restored: Contents): boolean => {
  const left = withoutRestored(all, restored)
  return left.tables.length === 0 && left.arrays.length === 0 && left.files.length === 0
}

/** What of an operation is still only in the trash. */
export const withoutRestored = (all: Contents, restored: Contents): Contents => {
  const without = (values: readonly string[], gone: readonly string[]): string[] => {
    const known = new Set(gone)
    return values.filter((value) => !known.has(value))
  }
  return {
    tables: all.tables
      .map((part) => ({ ...part, keys: without(part.keys, restored.tables.find(({ table }) => table === part.table)?.keys ?? []) }))
      .filter(({ keys }) => keys.length > 0),
    arrays: without(all.arrays, restored.arrays),
    datasets: all.datasets,
    files: all.files.filter(({ path }) => !restored.files.some((file) => file.path === path)),
  }
}
