import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { type ChunkParameter, streamChunks } from '../engine/stream-chunks.ts'
import { arraySelect, readArrayRows } from './array-select.ts'
import type { ArrayRow, ArraySource, LoadOptions } from './array-source.ts'
import { idCondition } from './id-condition.ts'
import { damaged, openParquet, type ParquetFile } from './parquet-file.ts'

/** Arrays of one Parquet file; `path` is relative to `root`. */
export const parquetSource = (engine: Engine, root: string, path: string): ArraySource => ({
  async *load(ids, options = {}) {
    if (ids.length === 0) return
    const file = await openParquet(engine, root, path)
    try {
      yield* readFile(engine, file, ids, options)
    } catch (error) {
      throw damaged(path, error)
    } finally {
      await file.close()
    }
  },
})

async function* readFile(engine: Engine, file: ParquetFile, ids: readonly string[], options: LoadOptions): AsyncGenerator<ArrayRow[]> {
  const { sql: condition, parameters } = idCondition(ids)
  const last = await lastOfDuplicates(engine, file, condition, parameters, options.signal)
  const order = options.ordered === true ? 'ORDER BY prediction_id' : ''
  const sql = `SELECT ${arraySelect(new Set(file.columns.keys()), options.columns)}, file_row_number
    FROM ${file.relation} WHERE ${condition} ${order}`
  for await (const chunk of streamChunks(engine, sql, parameters, options.signal)) {
    const rows = readArrayRows(chunk)
    if (last.size === 0) {
      yield rows
      continue
    }
    const positions = chunk.values(8)
    yield rows.filter((row, index) => (last.get(row.prediction_id) ?? positions[index]) === positions[index])
  }
}

const Duplicate = z.object({ prediction_id: z.string(), position: z.string() })

/** For each id that is more than once in the file, the position of its last row. */
const lastOfDuplicates = async (
  engine: Engine,
  file: ParquetFile,
  condition: string,
  parameters: Record<string, ChunkParameter>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, bigint>> => {
  const sql = `SELECT prediction_id, max(file_row_number)::VARCHAR AS position
    FROM ${file.relation} WHERE ${condition} GROUP BY prediction_id HAVING count(*) > 1`
  const last = new Map<string, bigint>()
  for await (const chunk of streamChunks(engine, sql, parameters, signal)) {
    const [ids, positions] = [chunk.texts(0), chunk.texts(1)]
    ids.forEach((id, row) => {
      const duplicate = Duplicate.parse({ prediction_id: id, position: positions[row] })
      last.set(duplicate.prediction_id, BigInt(duplicate.position))
    })
  }
  return last
}
