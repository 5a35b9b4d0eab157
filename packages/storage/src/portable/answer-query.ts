import type { SqlCell, SqlResult } from '@nirs-workspace/types'
import type { ArrayPlaces } from '../arrays/array-reader.ts'
import { storeTableNames } from '../catalog/catalog-schema.ts'
import { attachReadOnly, quotedIdentifier } from '../engine/attach-store.ts'
import { streamJsonRows } from '../engine/json-rows.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { chainSummaryView } from './chain-summary-view.ts'
import type { QueryAnswer, QueryRequest } from './query-messages.ts'
import type { Samples } from './samples-view.ts'
import { requireReadOnly } from './sql-policy.ts'

/** Runs one query over one catalog, in an engine of its own. */
export const answerQuery = async (request: QueryRequest): Promise<QueryAnswer> => {
  try {
    return { result: await withEngine({ memoryLimit: `${request.memory_mb}MB`, spillFolder: '' }, (engine) => answer(engine, request)) }
  } catch (error) {
    return { error: describe(error, request) }
  }
}

const answer = async (engine: Engine, request: QueryRequest): Promise<SqlResult> => {
  const tables = [...storeTableNames, 'chain_summary', ...(request.places === null ? [] : ['samples'])]
  const asked = await requireReadOnly(engine, request.sql, tables)
  await attachReadOnly(engine, request.catalog, 'catalog')
  for (const table of storeTableNames) {
    const columns = table === 'predictions' ? '* EXCLUDE (search_text)' : '*'
    await engine.run(`CREATE VIEW memory.main.${table} AS SELECT ${columns} FROM catalog.main.${quotedIdentifier(table)}`)
  }
  await engine.run(`CREATE VIEW memory.main.chain_summary AS ${chainSummaryView}`)
  const samples = request.places !== null && asked.has('samples') ? await openSamples(engine, request.places) : null
  // Second wall: were the first one to let something through, it would find no files but those of `samples`, and could not take this wall down.
  await engine.run('SET enable_external_access = false')
  await engine.run('SET lock_configuration = true')
  try {
    return await collect(engine, request)
  } catch (error) {
    throw samples?.foreign(error) ?? inOwnWords(error)
  }
}

/** Few statements ask for samples, and what reads arrays is large. */
const openSamples = async (engine: Engine, places: ArrayPlaces): Promise<Samples> =>
  (await import('./samples-view.ts')).makeSamplesView(engine, places)

/** What stops a query is the query, and its message may quote it: no sign of a full disk or of a damaged store. */
const inOwnWords = (error: unknown): unknown => (isStorageError(error) && error.cause instanceof Error ? error.cause : error)

const collect = async (engine: Engine, { sql, rows: mostRows, bytes: mostBytes }: QueryRequest): Promise<SqlResult> => {
  const started = performance.now()
  const { columns, chunks } = await streamJsonRows(engine, sql)
  const rows: SqlCell[][] = []
  let bytes = 0
  let truncated = false
  for await (const chunk of chunks) {
    for (const row of chunk) {
      bytes += Buffer.byteLength(JSON.stringify(row))
      truncated = rows.length >= mostRows || bytes > mostBytes
      if (truncated) break
      rows.push(row)
    }
    if (truncated) break
  }
  return { columns: [...columns], rows, row_count: rows.length, truncated, elapsed_ms: performance.now() - started }
}

export const tooMuchMemory = (limit: number) => `The query needed more than ${limit} MB of memory and was stopped.`

const describe = (error: unknown, { catalog, memory_mb }: QueryRequest) => {
  if (isStorageError(error, 'out_of_memory')) return { code: 'sql_memory' as const, message: tooMuchMemory(memory_mb) }
  if (isStorageError(error))
    return { code: error.code, message: error.message, ...(error.fields.hint === undefined ? {} : { hint: error.fields.hint }) }
  if (!(error instanceof Error) || error.name !== 'Error') throw error
  if (/^Out of Memory Error/i.test(error.message)) return { code: 'sql_memory' as const, message: tooMuchMemory(memory_mb) }
  const message = error.message.replaceAll(catalog, 'catalog').slice(0, 1000)
  return { code: /^Permission Error/.test(message) ? ('sql_not_allowed' as const) : ('sql_error' as const), message }
}
