import { rename } from 'node:fs/promises'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'

/** Lets `change` happen once, before the `nth` operation that `isPlace` knows. */
export const tamperBefore = (isPlace: (operation: DiskOperation) => boolean, change: (path: string) => Promise<unknown>, nth = 1): void => {
  let seen = 0
  setFaultHook(async (operation) => {
    if (isPlace(operation) && ++seen === nth) await change(operation.path)
  })
}

/** Writes a Parquet file anew as a query over its rows gives it: `what` stands between SELECT and FROM, `where` behind WHERE. */
export const rewriteParquet = async (path: string, what: string, where = 'true'): Promise<void> => {
  const beside = `${path}.other`
  const rows = `read_parquet(${quotedString(escapeGlob(path))}, hive_partitioning = false)`
  await withEngine({}, (engine) =>
    engine.run(`COPY (SELECT ${what} FROM ${rows} WHERE ${where}) TO ${quotedString(beside)} (FORMAT parquet)`),
  )
  await rename(beside, path)
}

/** Another program that opens a store, changes it and closes it. */
export const changeStore = (path: string, sql: string): Promise<void> => withEngine({}, (engine) => change(engine, path, sql))

/** Another program that opens a store, changes it and ends before its log has gone into it. */
export const changeInLog = (path: string, sql: string): Promise<void> =>
  withEngine({}, async (engine) => {
    await engine.run('PRAGMA disable_checkpoint_on_shutdown')
    await change(engine, path, sql)
  })

const change = (engine: Engine, path: string, sql: string): Promise<void> =>
  engine.run(`ATTACH ${quotedString(path)} AS other; USE other; ${sql}; USE memory; DETACH other`)
