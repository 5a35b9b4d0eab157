import { join } from 'node:path'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { type MadePrediction, makeStore } from './make-store.ts'

/** A workspace that a later release has moved to store.sqlite, leaving `held` behind in store.duckdb.bak. */
export const makeUpgraded = async (
  folder: string,
  predictions: readonly MadePrediction[],
  held: readonly MadePrediction[],
  extra: readonly string[] = [],
): Promise<void> => {
  await makeStore(join(folder, 'store.duckdb.bak'), { release: '0.7.1', predictions: held, extra })
  await makeStore(join(folder, 'store.duckdb'), { release: '0.8.1', predictions })
  await convertStore(folder)
}
