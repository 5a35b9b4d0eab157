import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { attachWritable, detach, quotedIdentifier } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { linkNew, unlinkIfThere } from '../files/move-file.ts'
import { newStorePrefix } from '../files/workspace-lock.ts'
import { chainSummaryView, naturalKeyIndex, plainIndexes, storeTables } from '../migration/store-schema.ts'
import { layoutOf } from '../migration/workspace-layout.ts'

/**
 * Makes an empty workspace: a store as nirs4all 0.8 makes it, in the folder whose lock the caller holds. It appears whole or not at all, and
 * what a process that dies leaves goes with the next lock. Throws `plan_stale` when there is a store by then.
 */
export const createWorkspace = async (root: string): Promise<void> => {
  const beside = join(layoutOf(root).control, `${newStorePrefix}${randomUUID()}.tmp`)
  try {
    await faultPoint({ kind: 'engine-write', path: beside })
    await writeEmptyStore(beside)
    await syncFile(beside)
    if (!(await linkNew(beside, join(root, 'store.duckdb')))) throw madeMeanwhile(root)
  } finally {
    await unlinkIfThere(beside)
  }
  await syncFolder(root)
  await syncFolder(dirname(root))
}

const madeMeanwhile = (path: string) =>
  new StorageError('plan_stale', `Another program has made a workspace at ${path} meanwhile. It was left as it is.`, {
    path,
    hint: 'Let the other program finish, then try again with the workspace that is there.',
  })

const writeEmptyStore = (path: string): Promise<void> =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, path, 'made')
    await engine.run('USE made')
    for (const [table, columns] of Object.entries(storeTables)) await engine.run(`CREATE TABLE ${quotedIdentifier(table)}(${columns})`)
    for (const index of [...plainIndexes, naturalKeyIndex]) await engine.run(index)
    await engine.run(chainSummaryView)
    await engine.run('CHECKPOINT made')
    await engine.run('USE memory')
    await detach(engine, 'made')
  })
