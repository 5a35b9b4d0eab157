import { stat } from 'node:fs/promises'
import type { Engine } from '../engine/open-engine.ts'
import { systemCode } from '../errors.ts'
import { checkStore } from './check-store.ts'
import { type AttachedStore, describeTables } from './store-facts.ts'

type Tables = AttachedStore['tables']

/** A file that was written so recently may be written once more without a change of its times: they move in steps. */
const settledMs = 100
const mostStores = 64

const checked = new Map<string, { readonly stamp: string; readonly tables: Tables }>()

/**
 * The tables of an attached store that holds nothing unsafe; throws `store_unsafe`. DuckDB takes longer for this answer than for most
 * questions, so it is kept as long as store and log are the same files with the same sizes and times.
 */
export const checkedTables = async (engine: Engine, path: string, alias: string): Promise<Tables> => {
  const stamp = await stampOf(path)
  const known = checked.get(path)
  checked.delete(path)
  if (known !== undefined && known.stamp === stamp) {
    checked.set(path, known)
    return known.tables
  }
  await checkStore(engine, alias)
  const tables = await describeTables(engine, alias)
  if (stamp !== null) checked.set(path, { stamp, tables })
  for (const oldest of checked.keys()) {
    if (checked.size <= mostStores) break
    checked.delete(oldest)
  }
  return tables
}

/** Null when it says too little. Looks only: opening the file would drop DuckDB's lock. */
const stampOf = async (path: string): Promise<string | null> => {
  const [store, log] = await Promise.all([markOf(path), markOf(`${path}.wal`)])
  const newest = Math.max(store?.changed ?? 0, log?.changed ?? 0)
  if (store === null || Math.abs(Date.now() - newest) < settledMs) return null
  return `${store.text} ${log?.text ?? '-'}`
}

const markOf = async (path: string): Promise<{ text: string; changed: number } | null> => {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    const inMs = (ns: bigint) => Number(ns / 1_000_000n)
    return { text: [dev, ino, size, mtimeNs, ctimeNs].join('-'), changed: Math.max(inMs(mtimeNs), inMs(ctimeNs)) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}
