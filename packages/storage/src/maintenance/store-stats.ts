import { stat } from 'node:fs/promises'
import type { StoreStats } from '@nirs-workspace/types'
import * as z from 'zod'
import { ArrayStore } from '../array-store/array-store.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { systemCode } from '../errors.ts'
import { copySqlite } from '../sqlite/copy-sqlite.ts'
import { listTrash } from '../trash/list-trash.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { type AttachedStore, countRows } from '../workspace/store-facts.ts'

/**
 * How large everything is, from the store and the footers of the array files as they are now: rows per table, and predictions, rows and
 * bytes per dataset. Reads only; needs no catalog. Throws `store_locked`, `store_unreadable`.
 */
export const storeStats = async (path: string): Promise<StoreStats> => {
  const resolved = await resolveWorkspace(path)
  const arrays = await ArrayStore.open(resolved.root).stats()
  const { tables, predictions } = await readStore(resolved)
  const stored = new Map(arrays.datasets.map((dataset) => [dataset.name, dataset]))
  const names = [...new Set([...predictions.keys(), ...stored.keys()])].sort()
  return {
    metadata_size_bytes: await metadataBytes(resolved),
    parquet_arrays_size_bytes: arrays.total_bytes,
    trash_size_bytes: (await listTrash(path)).rows.reduce((sum, { bytes }) => sum + bytes, 0),
    tables,
    array_rows: arrays.total_rows,
    tombstones: arrays.tombstones,
    unreadable_files: [...arrays.unreadable],
    datasets: names.map((name) => ({
      name,
      predictions: predictions.get(name) ?? 0,
      array_rows: stored.get(name)?.rows ?? 0,
      parquet_size_bytes: stored.get(name)?.bytes ?? 0,
      files: [...(stored.get(name)?.files ?? [])],
    })),
  }
}

interface StoreFigures {
  readonly tables: Record<string, number>
  readonly predictions: ReadonlyMap<string, number>
}

const readStore = async ({ sqlite, duckdb }: ResolvedWorkspace): Promise<StoreFigures> => {
  if (sqlite === null && duckdb === null) return { tables: {}, predictions: new Map() }
  return withEngine({}, async (engine) => {
    if (sqlite !== null) return figuresOf(await copySqlite(sqlite, { engine, alias: 'store', file: null }))
    return withAttachedStore(engine, duckdb ?? '', 'store', figuresOf)
  })
}

const Row = z.object({ name: z.string(), n: z.number() })

const figuresOf = async (store: AttachedStore): Promise<StoreFigures> => {
  const tables: [string, number][] = []
  for (const name of [...store.tables.keys()].sort()) tables.push([name, await countRows(store, name)])
  const rows = store.tables.has('predictions')
    ? await store.engine.rows(
        Row,
        `SELECT dataset_name AS name, count(*) AS n FROM ${quotedIdentifier(store.alias)}.main.predictions GROUP BY 1`,
      )
    : []
  return { tables: Object.fromEntries(tables), predictions: new Map(rows.map(({ name, n }) => [name, n])) }
}

const metadataBytes = async ({ sqlite, duckdb }: ResolvedWorkspace): Promise<number> => {
  const paths = sqlite !== null ? [sqlite, `${sqlite}-wal`] : duckdb !== null ? [duckdb, `${duckdb}.wal`] : []
  let bytes = 0
  for (const path of paths) bytes += await sizeOf(path)
  return bytes
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}
