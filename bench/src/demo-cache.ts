import { existsSync } from 'node:fs'
import { cp, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDemo } from '@nirs-workspace/demo'
import { defaultCacheFolder } from '@nirs-workspace/storage'

/** Raise when the demo changes: older ones are made anew. */
const DEMO_VERSION = 1

const benchFolder = join(defaultCacheFolder(), 'bench')

/** Where catalogs of benchmarked workspaces go, apart from the user's own. */
export const benchCatalogs = join(benchFolder, 'cache')

/** Home of the servers that are measured: cache, settings and state start empty there. */
export const benchServerHome = join(benchFolder, 'server')

const say = (text: string) => process.stderr.write(`${text}\n`)

/** A demo workspace in the user's cache folder, made once and kept between runs. Never change it. */
export const benchDemo = async (size: 'large' | 'huge', rows?: number): Promise<string> => {
  const folder = join(benchFolder, `${size}${rows === undefined ? '' : `-${rows}`}-v${DEMO_VERSION}`)
  if (existsSync(folder)) return folder
  say(`Making the ${size} demo workspace${rows === undefined ? '' : ` with ${rows} rows`}; it is kept for the next time`)
  const beside = `${folder}.making`
  await rm(beside, { recursive: true, force: true })
  await mkdir(benchFolder, { recursive: true })
  await makeDemo({ directory: beside, size, ...(rows === undefined ? {} : { rows }) })
  await rename(beside, folder)
  return folder
}

/** The large demo after a migration by this version of the product; made by `work` in a copy, replacing the one of the last run. */
export const remakeMigratedDemo = async <T>(work: (copy: string) => Promise<T>): Promise<T> => {
  const beside = `${migratedDemo}.making`
  await rm(beside, { recursive: true, force: true })
  await cp(await benchDemo('large'), beside, { recursive: true })
  await flushFiles(beside)
  const result = await work(beside)
  await rm(migratedDemo, { recursive: true, force: true })
  await rename(beside, migratedDemo)
  return result
}

/** A workspace lies on its disk; a copy that the system has yet to write would be written out while the work is measured. */
const flushFiles = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = await open(join(entry.parentPath, entry.name), 'r+')
    await file.sync().finally(() => file.close())
  }
}

export const migratedDemo = join(benchFolder, 'large-migrated')
