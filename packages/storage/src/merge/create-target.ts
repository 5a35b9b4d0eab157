import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { attachWritable, detach, quotedIdentifier } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { makeFolder, rename, syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { unlinkIfThere } from '../files/move-file.ts'
import { chainSummaryView, naturalKeyIndex, plainIndexes, storeTables } from '../migration/store-schema.ts'

/** Makes an empty workspace: a folder with a store as nirs4all 0.8 makes it. It appears whole or not at all. */
export const createWorkspace = async (root: string): Promise<void> => {
  await makeFolder(root)
  const beside = join(root, `.store-${process.pid}-${randomUUID()}.tmp`)
  try {
    await faultPoint({ kind: 'engine-write', path: beside })
    await writeEmptyStore(beside)
    await syncFile(beside)
    await rename(beside, join(root, 'store.duckdb'))
  } finally {
    await unlinkIfThere(beside)
  }
  await syncFolder(root)
  await syncFolder(dirname(root))
}

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
