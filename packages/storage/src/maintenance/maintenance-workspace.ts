import type { MaintenanceRequest } from '@nirs-workspace/types'
import { type ArrayIndex, indexArrays } from '../catalog/array-index.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { syncFile } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { copySqlite } from '../sqlite/copy-sqlite.ts'
import { openSqlite } from '../sqlite/open-sqlite.ts'
import { SqliteMetadata } from '../sqlite/sqlite-metadata.ts'
import { checkStore } from '../workspace/check-store.ts'
import { asUnreadable, withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { DuckdbMetadata } from './duckdb-metadata.ts'
import type { MetadataStore } from './metadata-store.ts'
import { readStars, type Stars } from './read-stars.ts'
import { readIds } from './read-texts.ts'

/** The metadata of a workspace as plans read it: `store.main.<table>` in the engine, whatever kind of store it is. */
export const storeAlias = 'store'

/** A workspace opened for a plan, or for carrying one out. */
export interface OpenWorkspace {
  readonly resolved: ResolvedWorkspace
  readonly engine: Engine
  readonly metadata: MetadataStore
  /** Filled once, in the temporary tables of `indexArrays`. */
  readonly index: ArrayIndex
  readonly stars: Stars
  /** The moment from which ages are counted. */
  readonly now: Date
}

/** What a path is, if it can be maintained. Throws `not_migrated` while the arrays are inside the store, `not_a_workspace` without one. */
export const resolveMaintained = async (path: string): Promise<ResolvedWorkspace> => {
  const resolved = await resolveWorkspace(path)
  if (resolved.kind === 'workspace') return resolved
  throw new StorageError('not_a_workspace', 'Array files without a store have nothing to maintain. Nothing was changed.', {
    path,
    hint: 'Open the workspace that they come from.',
  })
}

/** The rows of a workspace of either kind, for looking; the store is held no longer than `work` takes. */
export const withReading = async <T>(resolved: ResolvedWorkspace, work: (metadata: MetadataStore) => Promise<T>): Promise<T> => {
  const { sqlite, duckdb, root } = resolved
  if (sqlite !== null) {
    const store = await openSqlite(sqlite)
    try {
      return await work(SqliteMetadata.over(store.database, { path: sqlite, root }))
    } finally {
      await store.close()
    }
  }
  const path = duckdb ?? noStore()
  return withEngine(engineOptions, (engine) =>
    withAttachedStore(engine, path, storeAlias, async () => work(await DuckdbMetadata.open({ engine, alias: storeAlias, path, root }))),
  )
}

/** Opens a workspace for planning for the length of `work`; the store is held no longer. */
export const withPlanning = async <T>(resolved: ResolvedWorkspace, now: Date, work: (open: OpenWorkspace) => Promise<T>): Promise<T> =>
  withEngine(engineOptions, async (engine) => {
    const { sqlite, duckdb, root } = resolved
    if (sqlite !== null) {
      const store = await openSqlite(sqlite)
      try {
        return await withCopy(engine, resolved, SqliteMetadata.over(store.database, { path: sqlite, root }), now, work)
      } finally {
        await store.close()
      }
    }
    const path = duckdb ?? noStore()
    return withAttachedStore(engine, path, storeAlias, async ({ tables }) => {
      refuseLegacy(tables)
      return work(await open(engine, resolved, await DuckdbMetadata.open({ engine, alias: storeAlias, path, root }), now))
    })
  })

/** Opens a workspace for writing; nobody else can write to its store until `work` has ended. */
export const withWriting = async <T>(resolved: ResolvedWorkspace, now: Date, work: (open: OpenWorkspace) => Promise<T>): Promise<T> =>
  withMetadata(resolved, (engine, metadata) =>
    resolved.sqlite === null ? open(engine, resolved, metadata, now).then(work) : withCopy(engine, resolved, metadata, now, work),
  )

/** As `withWriting`, for who needs no more than the rows. What was written is on the disk when this returns. */
export const withMetadata = async <T>(
  resolved: ResolvedWorkspace,
  work: (engine: Engine, metadata: MetadataStore) => Promise<T>,
): Promise<T> => {
  const { sqlite, duckdb, root } = resolved
  const path = sqlite ?? duckdb ?? noStore()
  const { result, hasWritten } = await withEngine(engineOptions, async (engine) => {
    await faultPoint({ kind: 'engine-write', path })
    const metadata = sqlite === null ? await openDuckdb(engine, path, root) : SqliteMetadata.open({ path, root })
    try {
      return { result: await work(engine, metadata), hasWritten: metadata.hasWritten }
    } finally {
      await metadata.close()
    }
  })
  // Nobody has the store open here any more: closing a descriptor of it drops no lock of ours.
  if (hasWritten) await syncFile(path)
  return result
}

const engineOptions = { memoryLimit: '1GB' }

const openDuckdb = async (engine: Engine, path: string, root: string): Promise<DuckdbMetadata> => {
  try {
    await attachWritable(engine, path, storeAlias)
  } catch (error) {
    throw asUnreadable(path, error)
  }
  await checkStore(engine, storeAlias)
  const metadata = await DuckdbMetadata.open({ engine, alias: storeAlias, path, root })
  refuseLegacy(metadata.shapes)
  return metadata
}

const withCopy = async <T>(
  engine: Engine,
  resolved: ResolvedWorkspace,
  metadata: MetadataStore,
  now: Date,
  work: (open: OpenWorkspace) => Promise<T>,
): Promise<T> => {
  await copySqlite(resolved.sqlite ?? noStore(), { engine, alias: storeAlias, file: null })
  try {
    return await work(await open(engine, resolved, metadata, now))
  } finally {
    await detach(engine, storeAlias)
  }
}

const open = async (engine: Engine, resolved: ResolvedWorkspace, metadata: MetadataStore, now: Date): Promise<OpenWorkspace> => ({
  resolved,
  engine,
  metadata,
  index: await indexArrays(engine, resolved),
  stars: await readStars(resolved.root),
  now,
})

const refuseLegacy = (tables: ReadonlyMap<string, unknown>): void => {
  if (!tables.has('prediction_arrays')) return
  throw new StorageError('not_migrated', 'The arrays of this workspace are still inside its store. Nothing was changed.', {
    hint: 'Migrate the workspace first.',
  })
}

const noStore = (): never => {
  throw new StorageError('not_a_workspace', 'The workspace has no store. Nothing was changed.')
}

/** An expression for a column that not every release has. */
export const columnOr = ({ metadata }: OpenWorkspace, table: string, column: string, otherwise = 'NULL'): string =>
  metadata.shapes.get(table)?.columns.includes(column) === true ? column : otherwise

/** The ids that a query gives, in its first column. */
export const idsOf = ({ engine }: OpenWorkspace, sql: string, parameters?: Record<string, string>): Promise<string[]> =>
  readIds(engine, sql, parameters)

export type RequestOf<K extends MaintenanceRequest['kind']> = Extract<MaintenanceRequest, { kind: K }>
