import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { CATALOG_VERSION } from './catalog-schema.ts'

/** A finished catalog on disk; its bytes never change. */
export interface CatalogFile {
  readonly path: string
  /** Of the workspace as it was when the catalog was made. */
  readonly fingerprint: string
  /** ISO 8601, UTC. */
  readonly built_at: string
}

export interface CatalogOptions {
  /** Where catalogs are kept. Default: the user's cache folder. */
  cacheFolder?: string | undefined
}

/** `XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`; with `nirs-workspace` below it. */
export const defaultCacheFolder = (env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string => {
  const home = homedir()
  const base = {
    win32: env.LOCALAPPDATA || join(home, 'AppData', 'Local'),
    darwin: join(home, 'Library', 'Caches'),
  }
  const folder = env.XDG_CACHE_HOME || (platform === 'win32' || platform === 'darwin' ? base[platform] : join(home, '.cache'))
  return join(folder, 'nirs-workspace')
}

export const catalogFolder = (options: CatalogOptions): string => join(options.cacheFolder ?? defaultCacheFolder(), 'catalogs')

/** The same for every path that leads to this workspace; a lone Parquet file is a workspace of its own. */
export const workspaceKey = (resolved: ResolvedWorkspace): string =>
  createHash('sha256')
    .update(resolved.parquet ?? resolved.root)
    .digest('hex')
    .slice(0, 20)

export const catalogName = (key: string, fingerprint: string): string => `${key}-${fingerprint}.v${CATALOG_VERSION}.duckdb`

/** The parts of a catalog's name; null for other files, temporary ones and other versions. */
export const parseCatalogName = (name: string): { key: string; fingerprint: string } | null => {
  const match = /^([0-9a-f]{20})-([0-9a-f]+)\.v(\d+)\.duckdb$/.exec(name)
  const [, key, fingerprint, version] = match ?? []
  if (key === undefined || fingerprint === undefined || version !== String(CATALOG_VERSION)) return null
  return { key, fingerprint }
}
