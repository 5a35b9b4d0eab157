import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Engine, withEngine } from '@nirs-workspace/storage'

/** A temporary folder that is gone after `work`. */
export const inTemporaryFolder = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'nirs-demo-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Opens a store read-only with its tables in reach by their plain names. */
export const withStore = <T>(path: string, work: (engine: Engine) => Promise<T>): Promise<T> =>
  withEngine({}, async (engine) => {
    await engine.run(`ATTACH '${path.replaceAll("'", "''")}' AS store (READ_ONLY)`)
    await engine.run('USE store')
    return work(engine)
  })
