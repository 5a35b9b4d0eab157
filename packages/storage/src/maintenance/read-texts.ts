import type { Engine, EngineParameters } from '../engine/open-engine.ts'
import { Chunk } from '../engine/stream-chunks.ts'

/** Rows of a query whose columns are all text, over the engine's own connection: temporary tables are seen. Read it to its end. */
export async function* readTexts(engine: Engine, sql: string, parameters?: EngineParameters): AsyncGenerator<(string | null)[][]> {
  const result = await engine.stream(sql, parameters)
  const columns = result.columnCount
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const read = new Chunk(chunk)
    yield Array.from({ length: columns }, (_, column) => [...read.texts(column)])
  }
}

/** The first column of such a query, without nulls. */
export const readIds = async (engine: Engine, sql: string, parameters?: EngineParameters): Promise<string[]> => {
  const ids: string[] = []
  for await (const [first = []] of readTexts(engine, sql, parameters)) for (const id of first) if (id !== null) ids.push(id)
  return ids
}
