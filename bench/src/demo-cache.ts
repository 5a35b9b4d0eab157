import { existsSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
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

/** A demo workspace in the user's cache folder, made once and kept between runs. Never change it: work on a `scratchCopy`. */
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

/** A copy that a measurement may change; gone after `work`. */
export const withScratchCopy = async <T>(workspace: string, work: (copy: string) => Promise<T>): Promise<T> => {
  const copy = join(benchFolder, `scratch-${process.pid}`)
  await rm(copy, { recursive: true, force: true })
  await cp(workspace, copy, { recursive: true })
  try {
    return await work(copy)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
