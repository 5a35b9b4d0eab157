export * from './errors.ts'

// Migration, verification, the workspace lock.
export { acquireWorkspaceLock, type WorkspaceLock } from './files/workspace-lock.ts'
export { deleteBackup } from './migration/delete-backup.ts'
export type * from './migration/job-options.ts'
export { migrateStatus } from './migration/migrate-status.ts'
export { planMigration } from './migration/plan-migration.ts'
export { readInterruption } from './migration/read-interruption.ts'
export { recoverWorkspace } from './migration/recover-workspace.ts'
export { rollbackMigration } from './migration/rollback-migration.ts'
export { runMigration } from './migration/run-migration.ts'
export { verifyWorkspace } from './verify/verify-workspace.ts'

// Writing a DuckDB file from rows that were made elsewhere.
export { appendColumns, type ColumnValues } from './engine/append-columns.ts'
export { attachWritable, detach } from './engine/attach-store.ts'
export { Engine, type EngineOptions, withEngine } from './engine/open-engine.ts'

// The states of runs and pipelines.
export * from './lifecycle/lifecycle-table.ts'
export * from './lifecycle/transition.ts'

// The door and the catalog.
export { type BuildOptions, buildCatalog, type CatalogProgress } from './catalog/build-catalog.ts'
export { type CatalogFile, type CatalogOptions, defaultCacheFolder } from './catalog/catalog-file.ts'
export { findCatalog } from './catalog/find-catalog.ts'
export { type Catalog, openCatalog } from './catalog/open-catalog.ts'
export { type CatalogMeta, readCatalogMeta } from './catalog/read-info.ts'
export { detectStorage } from './workspace/detect-storage.ts'
export { fingerprintWorkspace } from './workspace/fingerprint-workspace.ts'
export { lastKnownStatus } from './workspace/last-known-status.ts'
export type { ResolvedWorkspace } from './workspace/resolved-workspace.ts'
export { resolveWorkspace } from './workspace/resolve-workspace.ts'
