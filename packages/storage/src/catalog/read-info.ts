import { StorageStatus, WorkspaceCounts } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'

const fromJson = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((text) => JSON.parse(text))
    .pipe(schema)

const Meta = z.object({
  storage_status: fromJson(StorageStatus),
  counts: fromJson(WorkspaceCounts),
  fingerprint: z.string(),
  built_at: z.string(),
  root: z.string(),
  /** Ids in the list of removed predictions, whether a file still holds them or not. */
  tombstones: z.coerce.number(),
  tombstones_corrupt: z.stringbool(),
  /** Why store.duckdb.bak cannot be read; '' when it can or is not there. */
  backup_error: z.string(),
  /** Of a store.sqlite; 0 otherwise. */
  user_version: z.coerce.number(),
  /** Rows of the table prediction_arrays; null when there is no such table. */
  table_rows: fromJson(z.number().nullable()),
  /** Bytes of unused blocks inside store.duckdb. */
  free_bytes: z.coerce.number(),
})
export type CatalogMeta = z.infer<typeof Meta>

/** What a catalog says about the workspace as a whole, as it was when the catalog was made. */
export const readCatalogMeta = async (engine: Engine, alias = 'catalog'): Promise<CatalogMeta> => {
  const rows = await engine.rows(z.object({ key: z.string(), value: z.string() }), `SELECT key, value FROM ${alias}.main.meta`)
  return Meta.parse(Object.fromEntries(rows.map(({ key, value }) => [key, value])))
}
