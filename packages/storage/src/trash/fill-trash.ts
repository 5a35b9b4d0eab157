import { basename, dirname, join } from 'node:path'
import type { MaintenancePlan } from '@nirs-workspace/types'
import * as z from 'zod'
import type { ArrayOperations } from '../array-store/array-operations.ts'
import { openParquet } from '../arrays/parquet-file.ts'
import { appendColumns } from '../engine/append-columns.ts'
import { StorageError } from '../errors.ts'
import { copyDurably, link, makeFolder, syncFolder } from '../files/disk.ts'
import { markFile } from '../files/hash-file.ts'
import { isWithoutLinks } from '../files/move-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { type OpenWorkspace, storeAlias } from '../maintenance/maintenance-workspace.ts'
import type { FigureChange, TableKeys } from '../maintenance/metadata-store.ts'
import type { Selection } from '../maintenance/selection.ts'
import { MissingParent, missingParentsSql } from '../workspace/find-missing-parents.ts'
import { changesOf, keepFigures } from './kept-figures.ts'
import { markedAmong } from './marks-of-removal.ts'
import type { Contents, ModelFile, TrashFile, TrashManifest } from './trash-manifest.ts'
import type { TrashPlaces } from './trash-places.ts'

export const arraysName = 'arrays/0.parquet'

export interface Filling {
  readonly open: OpenWorkspace
  readonly arrays: ArrayOperations
  readonly places: TrashPlaces
  readonly operation: string
  readonly plan: MaintenancePlan
  readonly selection: Selection
}

/** What is in the trash, and the figures of the chains that stay as they are to be without it. */
export interface Filled {
  readonly contents: Contents
  readonly figures: readonly FigureChange[]
}

/** Copies everything that a plan removes into the trash: flushed, read back and hashed. The manifest is written last. */
export const fillTrash = async (filling: Filling): Promise<Filled> => {
  const { places, selection } = filling
  for (const folder of [places.trash, places.folder]) await makeFolder(folder)
  const kept = await keepRows(filling)
  const files: TrashFile[] = [...kept.files, ...(await keepArrays(filling))]
  const models: ModelFile[] = []
  for (const { path } of selection.files) models.push(await keepModel(filling, path))
  files.push(...models.map(({ path, bytes, sha256 }) => ({ path: `artifacts/${path}`, rows: 0, bytes, sha256 })))
  const contents = { tables: kept.tables, arrays: [...selection.arrays], datasets: [...selection.datasets], files: models }
  await writeJsonDurably(places.contents, contents)
  files.push(await describe(places, 'contents.json', 0))
  const figures = await keepFigures(filling.open, selection)
  if (figures.length > 0) {
    await writeJsonDurably(places.figures, figures)
    files.push(await describe(places, 'figures.json', 0))
  }
  const predictions = selection.tables.find(({ table }) => table === 'predictions')?.keys ?? []
  const twins = await filling.open.metadata.twinsOf(predictions)
  const parentless = await findParentless(filling)
  const marked = await markedAmong(filling.open.resolved.arrays, selection.arrays)
  await writeJsonDurably(places.manifest, manifestOf(filling, files, { twins, parentless, marked }))
  await syncFolder(places.folder)
  await syncFolder(places.trash)
  await syncFolder(dirname(places.trash))
  return { contents, figures: changesOf(figures) }
}

const manifestOf = (
  { operation, plan }: Filling,
  files: TrashFile[],
  { twins, parentless, marked }: { twins: string[]; parentless: TableKeys[]; marked: string[] },
): TrashManifest => ({
  format: 'nirs-workspace/trash/1',
  operation_id: operation,
  kind: plan.kind,
  created_at: new Date().toISOString(),
  counts: plan.counts,
  files,
  twins,
  ...(parentless.length === 0 ? {} : { parentless: parentless.map(({ table, keys }) => ({ table, keys: [...keys] })) }),
  ...(marked.length === 0 ? {} : { marked }),
  plan_id: plan.plan_id,
  // A selection of single predictions is as long as the operation itself, which says it anyway.
  request: plan.request.kind === 'remove_predictions' ? { kind: plan.request.kind } : plan.request,
})

/** Of the rows that go those that the store has without their run, pipeline or chain. */
const findParentless = async ({ open: { engine, metadata }, selection }: Filling): Promise<TableKeys[]> => {
  const has = (table: string, column: string) => metadata.shapes.get(table)?.columns.includes(column) === true
  const rows = await engine.rows(
    MissingParent,
    missingParentsSql(has, (table) => `${storeAlias}.main.${table}`),
  )
  const lost = Map.groupBy(rows, ({ kind }) => kind)
  return selection.tables.flatMap(({ table, keys }) => {
    const ids = new Set(lost.get(table)?.map(({ id }) => id))
    const own = keys.filter((key) => ids.has(key))
    return own.length === 0 ? [] : [{ table, keys: own }]
  })
}

const describe = async ({ folder }: TrashPlaces, path: string, rows: number): Promise<TrashFile> => {
  const { bytes, sha256 } = await markFile(join(folder, path))
  return { path, rows, bytes, sha256 }
}

const keepRows = async ({ open: { metadata }, places, selection }: Filling) => {
  const tables: Contents['tables'] = []
  const files: TrashFile[] = []
  for (const { table, keys } of selection.tables) {
    if (keys.length === 0) continue
    // A table of a later release may be called anything.
    const name = /^[a-z][a-z0-9_]{0,60}$/.test(table) ? table : `table-${tables.length}`
    const file = `${name}.${metadata.fileEnding}`
    const rows = await metadata.saveRows({ table, keys }, join(places.folder, file))
    tables.push({ table, file, keys: [...keys] })
    files.push(await describe(places, file, rows))
  }
  return { tables, files }
}

const keepArrays = async ({ open, arrays, places, selection }: Filling): Promise<TrashFile[]> => {
  if (selection.arrays.length === 0) return []
  await makeFolder(places.arrays)
  const path = join(places.folder, arraysName)
  const rows = await arrays.copyRows(new Set(selection.arrays), path, { files: await filesWith(open, selection.arrays) })
  await syncFolder(places.arrays)
  await checkKept(open, places)
  return [await describe(places, arraysName, rows)]
}

/** Names of the array files that hold rows of these predictions; the others are not looked at, so that damage to them stops nothing. */
const filesWith = async ({ engine }: OpenWorkspace, ids: readonly string[]): Promise<string[]> => {
  await engine.run('CREATE OR REPLACE TEMP TABLE to_keep (id VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'to_keep' }, [{ type: 'varchar', values: ids }])
  const rows = await engine.rows(
    z.object({ path: z.string() }),
    `SELECT DISTINCT path FROM array_rows JOIN array_file_names USING (file) WHERE prediction_id IN (SELECT id FROM to_keep) ORDER BY path`,
  )
  return rows.map(({ path }) => basename(path))
}

/** Every prediction whose arrays go must be in the copy; that their values are the same is what `copyRows` has verified. */
const checkKept = async ({ engine }: OpenWorkspace, places: TrashPlaces): Promise<void> => {
  const file = await openParquet(engine, places.folder, arraysName)
  try {
    const { missing } = await engine.one(
      z.object({ missing: z.number() }),
      `SELECT count(*) AS missing FROM to_keep WHERE id NOT IN (SELECT prediction_id FROM ${file.relation} WHERE prediction_id IS NOT NULL)`,
    )
    if (missing > 0)
      throw new StorageError('verification_failed', `The arrays of ${missing} predictions did not reach the trash. Nothing was removed.`)
  } finally {
    await file.close()
  }
}

/** A second name for the file, or a copy where the disk has no such thing; its old name goes later. */
const keepModel = async ({ open, places }: Filling, path: string): Promise<ModelFile> => {
  const from = join(open.resolved.root, 'artifacts', path)
  const to = join(places.artifacts, path)
  await makeFolders(places.artifacts, dirname(to))
  await linkOrCopy(from, to)
  for (let folder = dirname(to); folder.length >= places.artifacts.length; folder = dirname(folder)) await syncFolder(folder)
  const { bytes, sha256 } = await markFile(to)
  return { path, bytes, sha256 }
}

const linkOrCopy = async (from: string, to: string): Promise<void> => {
  try {
    await link(from, to)
  } catch (error) {
    if (!isWithoutLinks(error)) throw error
    await copyDurably(from, to)
  }
}

/** Makes a folder and those between it and `top`, each by itself. */
export const makeFolders = async (top: string, folder: string): Promise<void> => {
  if (folder.length > top.length) await makeFolders(top, dirname(folder))
  await makeFolder(folder)
}
