import { readFile, writeFile } from 'node:fs/promises'
import pl from 'nodejs-polars'
import * as z from 'zod'
import { withEngine } from '../../engine/open-engine.ts'
import { ParquetReader } from '../../parquet/parquet-reader.ts'

const rows = 40

/** Forty rows of wheat, `p-0` and so on, as nirs4all writes array files. */
export const writeWithPolars = (path: string): void => {
  const values = (shift: number) =>
    Array.from({ length: rows }, (_, row) => Array.from({ length: 60 }, (_, at) => Math.sin(row * 7.3 + at * 1.7 + shift)))
  const names = Array.from({ length: rows }, (_, row) => `p-${row}`)
  const frame = pl.DataFrame({ prediction_id: names, dataset_name: names.map(() => 'wheat'), y_true: values(1), y_pred: values(2) })
  frame.writeParquet(path, { compression: 'zstd' })
}

const readByDuckdb = (path: string): Promise<boolean> =>
  withEngine({}, (engine) =>
    engine.one(
      z.object({ sum: z.number() }),
      `SELECT sum(length(prediction_id) + length(dataset_name) + list_sum(y_true) + list_sum(y_pred)) AS sum FROM '${path}'`,
    ),
  ).then(
    () => true,
    () => false,
  )

const readByParquetWasm = async (path: string): Promise<boolean> => {
  const reader = new ParquetReader()
  try {
    await reader.open(path)
    await reader.rowGroup(0, false)
    return true
  } catch {
    return false
  } finally {
    await reader.close()
  }
}

/** Puts eight other bytes into a file of `writeWithPolars` where DuckDB does not notice. */
export const damageUnseen = async (path: string): Promise<void> => {
  const sound = await readFile(path)
  for (let at = 200; at < sound.length - 2000; at += 97) {
    const bytes = Buffer.from(sound)
    bytes.write('junkjunk', at, 'latin1')
    await writeFile(path, bytes)
    if ((await readByDuckdb(path)) && !(await readByParquetWasm(path))) return
  }
  throw new Error('DuckDB notices everything: this test has nothing left to show.')
}
