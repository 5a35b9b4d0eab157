import { join } from 'node:path'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { type ChunkParameter, streamChunks } from '../engine/stream-chunks.ts'
import { arraySelect, readArrayRows } from './array-select.ts'
import type { ArrayRow, ArraySource, LoadOptions } from './array-source.ts'
import type { CheckedFile } from './checked-file.ts'
import type { CheckedFiles } from './checked-files.ts'
import { idCondition } from './id-condition.ts'
import { damaged, openParquet, type ParquetFile } from './parquet-file.ts'

/** Arrays of one Parquet file; `path` is relative to `root`. No row is given that is not as it was written, as far as the file can tell. */
export const parquetSource = (engine: Engine, checks: CheckedFiles, root: string, path: string): ArraySource => ({
  async *load(ids, options = {}) {
    if (ids.length === 0) return
    const file = await openParquet(engine, root, path)
    try {
      const checked = await checks.get(join(root, path), path, file.pinned)
      try {
        yield* readFile(engine, file, checked, ids, options)
      } catch (error) {
        // The engine says that it cannot decode; the checksums say what is damaged.
        if (damaged(path, error) !== error) await checked.requireAllSound(file.pinned)
        throw error
      }
    } catch (error) {
      throw damaged(path, error)
    } finally {
      await file.close()
    }
  },
})

async function* readFile(
  engine: Engine,
  file: ParquetFile,
  checked: CheckedFile,
  ids: readonly string[],
  options: LoadOptions,
): AsyncGenerator<ArrayRow[]> {
  const { sql: condition, parameters } = idCondition(ids)
  const last = await lastOfDuplicates(engine, file, condition, parameters, options.signal)
  const order = options.ordered === true ? 'ORDER BY prediction_id' : ''
  const sql = `SELECT ${arraySelect(new Set(file.columns.keys()), options.columns)}, file_row_number
    FROM ${file.relation} WHERE ${condition} ${order}`
  for await (const chunk of streamChunks(engine, sql, parameters, options.signal)) {
    const positions = chunk.values(8)
    await checked.requireSound(file.pinned, positions.map(Number))
    const rows = readArrayRows(chunk)
    if (last.size === 0) {
      yield rows
      continue
    }
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
