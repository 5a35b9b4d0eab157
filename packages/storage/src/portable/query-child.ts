import { text } from 'node:stream/consumers'
import { StorageError } from '../errors.ts'
import { answerQuery, tooMuchMemory } from './answer-query.ts'
import { type QueryAnswer, QueryRequest } from './query-messages.ts'

/** Runs one query over one catalog and ends. The parent ends it earlier when it takes too long. */
const main = async (): Promise<QueryAnswer> => {
  const request = QueryRequest.parse(JSON.parse(await text(process.stdin)))
  watchMemory(request.memory_mb)
  return answerQuery(request)
}

/** DuckDB accounts for most, not all of its memory; what is beyond the limit and a reserve ends the process. */
const watchMemory = (limit: number): void => {
  const most = (limit + 350) * 1e6
  setInterval(() => {
    if (process.memoryUsage.rss() > most) reply({ error: { code: 'sql_memory', message: tooMuchMemory(limit) } })
  }, 25).unref()
}

/** Not `process.exit`: it waits for what the engine is doing, which may take minutes and all the memory there is. */
const reply = (answer: QueryAnswer): void => {
  process.stdout.write(JSON.stringify(answer), () => process.kill(process.pid, 'SIGKILL'))
}

reply(
  await main().catch(
    (error: unknown): QueryAnswer => ({
      error: {
        code: 'sql_error',
        message: `The query could not be run: ${error instanceof StorageError ? error.message : 'an unexpected answer of the engine.'}`,
      },
    }),
  ),
)
