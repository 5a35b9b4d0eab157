import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '@nirs-workspace/storage'
import { inTemporaryFolder, withStore } from './open-demo.ts'

const store = fileURLToPath(new URL('../../../../../shared/workspaces/legacy-0.7.1/store.duckdb', import.meta.url))

/** Works on a copy of a store that nirs4all 0.7.1 wrote; undefined, with a message, where the samples are not beside the repository. */
export const withRealStore = async <T>(work: (engine: Engine) => Promise<T>): Promise<T | undefined> => {
  if (!existsSync(store)) {
    process.stdout.write('No ../shared/workspaces beside the repository: the comparison with a real 0.7.1 store is passed over.\n')
    return undefined
  }
  return inTemporaryFolder(async (folder) => {
    const copy = join(folder, 'real.duckdb')
    await cp(store, copy)
    return withStore(copy, work)
  })
}
