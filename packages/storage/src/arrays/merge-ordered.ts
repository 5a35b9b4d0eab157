import type { ArrayRow } from './array-source.ts'

/** One stream in order of the UTF-8 bytes of prediction_id from streams that are each in that order. */
export async function* mergeOrdered(streams: readonly AsyncIterable<ArrayRow[]>[]): AsyncGenerator<ArrayRow> {
  const sources = streams.map(rowsOf)
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })))
    for (;;) {
      const waiting = heads.flatMap((head) => (head.next.done === true ? [] : [{ head, row: head.next.value }]))
      const [first] = waiting.sort((a, b) => compareIds(a.row.prediction_id, b.row.prediction_id))
      if (first === undefined) return
      yield first.row
      first.head.next = await first.head.source.next()
    }
  } finally {
    for (const source of sources) await source.return(undefined)
  }
}

/** Order of the UTF-8 bytes, as DuckDB and Parquet order text. */
export const compareIds = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

async function* rowsOf(stream: AsyncIterable<ArrayRow[]>): AsyncGenerator<ArrayRow, void, undefined> {
  for await (const rows of stream) yield* rows
}
