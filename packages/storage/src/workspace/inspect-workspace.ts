import type { DatasetInfo, Inspection } from '@nirs-workspace/types'
import * as z from 'zod'
import { buildCatalog } from '../catalog/build-catalog.ts'
import type { CatalogOptions } from '../catalog/catalog-file.ts'
import { findCatalog } from '../catalog/find-catalog.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { type CatalogMeta, readCatalogMeta } from '../catalog/read-info.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError, type StorageError } from '../errors.ts'
import { storeHolder } from '../files/foreign-lock.ts'
import { collectFindings } from './collect-findings.ts'
import { measureFolder } from './folder-usage.ts'
import { liveStatus } from './live-status.ts'
import { resolveWorkspace } from './resolve-workspace.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/**
 * What a path is and what is odd about it. Reads the store (through a catalog in the cache folder, made when there is no fresh one) and
 * changes nothing in the workspace. Throws what `resolveWorkspace` and `buildCatalog` throw.
 */
export const inspectWorkspace = async (path: string, options: LookOptions = {}): Promise<Inspection> => {
  const resolved = await resolveWorkspace(path)
  return withFreshCatalog(resolved, options, async (catalog, meta, lock) => ({
    ...meta.storage_status,
    ...(await liveStatus(resolved)),
    locked_by: lock?.fields.locked_by ?? (await storeHolder(resolved.duckdb)),
    as_of: meta.built_at,
    path: resolved.parquet ?? resolved.root,
    name: resolved.name,
    counts: meta.counts,
    datasets: await listDatasets(catalog.engine),
    sizes: await measureSizes(resolved),
    findings: await collectFindings(resolved, catalog.engine, meta, lock === null),
  }))
}

const measureSizes = async (resolved: ResolvedWorkspace): Promise<Inspection['sizes']> => {
  const usage = await measureFolder(resolved)
  return { store_bytes: usage.store.bytes, arrays_bytes: usage.arrays.bytes, artifacts_bytes: usage.artifacts.bytes }
}

export interface LookOptions extends CatalogOptions {
  /** While another process holds the store, look at the last catalog, if there is one, instead of throwing `store_locked`. */
  readonly lastWhenLocked?: boolean
}

/** Opens the catalog of the workspace as it is now, making it first when there is none. `lock` says why it is an older one. */
export const withFreshCatalog = async <T>(
  resolved: ResolvedWorkspace,
  options: LookOptions,
  work: (catalog: Catalog, meta: CatalogMeta, lock: StorageError | null) => Promise<T>,
): Promise<T> => {
  const { catalog, lock } = await openLatest(resolved, options)
  try {
    return await work(catalog, await readCatalogMeta(catalog.engine), lock)
  } finally {
    catalog.close()
  }
}

const openLatest = async (resolved: ResolvedWorkspace, options: LookOptions): Promise<{ catalog: Catalog; lock: StorageError | null }> => {
  const fresh = await openFresh(resolved, options)
  if (fresh !== null) return { catalog: fresh, lock: null }
  try {
    return { catalog: await openCatalog(await buildCatalog(resolved, options)), lock: null }
  } catch (error) {
    const { last } = await findCatalog(resolved, options)
    if (options.lastWhenLocked !== true || last === undefined || !isStorageError(error, 'store_locked')) throw error
    return { catalog: await openCatalog(last), lock: error }
  }
}

const openFresh = async (resolved: ResolvedWorkspace, options: CatalogOptions): Promise<Catalog | null> => {
  const { fresh } = await findCatalog(resolved, options)
  if (fresh === undefined) return null
  try {
    return await openCatalog(fresh)
  } catch (error) {
    if (isStorageError(error, 'catalog_building')) return null
    throw error
  }
}

const Dataset = z.object({ name: z.string(), predictions: z.number(), arrays: z.number(), parquet_bytes: z.number() })

/**
 * Predictions per dataset, by the bytes of its name. A file that several datasets share counts for each in proportion to its rows.
 * Datasets that only a file knows (their predictions were removed) are not listed.
 */
export const listDatasets = (engine: Engine): Promise<DatasetInfo[]> =>
  engine.rows(
    Dataset,
    `WITH shares AS (
       SELECT d.dataset_name, sum(f.bytes * d."rows" / (SELECT sum("rows") FROM catalog.array_file_datasets a WHERE a.path = d.path)) AS bytes
       FROM catalog.array_file_datasets d JOIN catalog.array_files f USING (path) GROUP BY d.dataset_name)
     SELECT dataset_name AS name, count(*) AS predictions, count(*) FILTER (has_arrays) AS arrays,
       coalesce(round(any_value(shares.bytes)), 0)::BIGINT AS parquet_bytes
     FROM catalog.predictions LEFT JOIN shares USING (dataset_name) GROUP BY dataset_name ORDER BY dataset_name`,
  )
