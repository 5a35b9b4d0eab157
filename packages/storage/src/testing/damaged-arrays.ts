import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type MadePrediction, makeParquet, makeStore } from './make-store.ts'

export const ofDamagedArrays: readonly MadePrediction[] = [
  { id: 'sound', dataset: 'wheat' },
  { id: 'bare', dataset: 'wheat', fold: '1' },
  { id: 'cut', dataset: 'rye' },
  { id: 'cut too', dataset: 'rye', fold: '1' },
  { id: 'gone', dataset: 'soil pH' },
]

/** A workspace of which one array file is sound, with the first prediction alone, one is cut short and one is not there. */
export const makeDamagedArrays = async (folder: string, predictions = ofDamagedArrays): Promise<void> => {
  await makeStore(join(folder, 'store.duckdb'), { release: '0.8.1', predictions })
  await mkdir(join(folder, 'arrays'))
  await makeParquet(join(folder, 'arrays', 'wheat.parquet'), predictions.slice(0, 1))
  await writeFile(join(folder, 'arrays', 'rye.parquet'), 'PAR1 cut')
}
