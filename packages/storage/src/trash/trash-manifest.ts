import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { StorageError, systemCode } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import { InsidePath, OperationId } from '../files/inside-names.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { notInTrash, trashPlaces } from './trash-places.ts'

const TrashFile = z.object({ path: InsidePath, rows: z.number(), bytes: z.number(), sha256: z.string() })
export type TrashFile = z.infer<typeof TrashFile>

export const TrashManifest = z.looseObject({
  format: z.literal('nirs-workspace/trash/1'),
  operation_id: OperationId,
  kind: z.string(),
  created_at: z.string(),
  counts: z.record(z.string(), z.number()),
  files: z.array(TrashFile),
  /** Predictions that shared a natural key when some of them went: only with each other do these come back beside others. */
  twins: z.array(z.string()).optional(),
  /** What trashes of before have for it: those of them that went. Of a merge it is all that gave way, and says nothing. */
  doubled: z.array(z.string()).optional(),
  /** Rows whose run, pipeline or chain was missing when they went: they come back without it. */
  parentless: z.array(z.object({ table: z.string(), keys: z.array(z.string()) })).optional(),
  /** Predictions whose arrays were on the list of removed ones already: they come back with that mark. */
  marked: z.array(z.string()).optional(),
})
export type TrashManifest = z.infer<typeof TrashManifest>

const ModelFile = z.object({ path: InsidePath, bytes: z.number(), sha256: z.string() })
export type ModelFile = z.infer<typeof ModelFile>

const KeptRows = z.array(z.object({ table: z.string(), file: InsidePath, keys: z.array(z.string()) }))

/** Ids of everything that goes, or comes back: rows per table, predictions with arrays, model files below artifacts/. */
export const Contents = z.object({
  tables: KeptRows,
  /** Rows that stayed and to which those belong that go: they come back with these where they are missing by then. */
  lineage: KeptRows.optional(),
  arrays: z.array(z.string()),
  /** Datasets whose rows leave their array file at once. */
  datasets: z.array(z.string()),
  files: z.array(ModelFile),
})
export type Contents = z.infer<typeof Contents>

export const noContents: Contents = { tables: [], arrays: [], datasets: [], files: [] }

/** The manifest of an operation. Throws `trash_not_found`, `trash_damaged`. */
export const readManifest = async (layout: Layout, operation: string): Promise<TrashManifest> => {
  const { manifest } = trashPlaces(layout, operation)
  const found = await readJson(manifest, TrashManifest)
  if (found === null) throw notInTrash(operation)
  if (found.operation_id !== operation) throw damagedTrash(manifest, 'speaks of another operation')
  return found
}

/** Compares every file of an operation with its hash, but for models that are back, or have not gone yet. Throws `trash_damaged` before anything is done with it. */
export const checkTrashFiles = async (layout: Layout, manifest: TrashManifest, restored = noContents): Promise<void> => {
  const { folder } = trashPlaces(layout, manifest.operation_id)
  const back = new Set(restored.files.map(({ path }) => `artifacts/${path}`))
  for (const file of manifest.files) {
    if (back.has(file.path)) continue
    const path = join(folder, file.path)
    const sha256 = await hashFile(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') throw damagedTrash(path, 'is no longer there', error)
      throw error
    })
    if (sha256 !== file.sha256) throw damagedTrash(path, 'is not what it was when it was kept')
  }
}

/** A JSON file of the trash; null when it is not there. Throws `trash_damaged`. */
export const readJson = async <S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | null> => {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = systemCode(error) ?? ''
    if (['ENOENT', 'ENOTDIR'].includes(code)) return null
    if (['EISDIR', 'ELOOP', 'EACCES'].includes(code)) throw damagedTrash(path, 'cannot be read', error)
    throw error
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) throw damagedTrash(path, 'cannot be read', error)
    throw error
  }
}

export const damagedTrash = (path: string, what: string, cause?: unknown) =>
  new StorageError(
    'trash_damaged',
    `${path} ${what}. Nothing was changed.`,
    { path, hint: 'Restore the file from a backup of the workspace.' },
    cause,
  )
