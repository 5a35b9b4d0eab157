import type { RunPage, RunQuery } from '@nirs-workspace/types'
import type { CatalogReader, QueryOptions } from '../predictions/catalog-reader.ts'
import { plainText } from '../predictions/plain-text.ts'
import { type RunHead, readRunHeads } from './run-heads.ts'
import { makeRunRows } from './run-rows.ts'

/** One page of runs, newest first, with the exact total. Every word of `q` must occur in name, id or a dataset's name. */
export const listRuns = async (catalog: CatalogReader, query: RunQuery, options: QueryOptions = {}): Promise<RunPage> => {
  const heads = (await readRunHeads(catalog, options)).filter((head) => passes(head, query))
  const page = heads.slice(query.offset, query.offset + query.limit)
  return { rows: await makeRunRows(catalog, page, options), total: heads.length, offset: query.offset }
}

const passes = (head: RunHead, { status, q }: RunQuery): boolean => {
  if (status.length > 0 && !status.includes(head.status)) return false
  const text = plainText([head.name, head.run_id, ...head.datasets].join('\n'))
  return plainText(q)
    .split(/\s+/)
    .every((word) => text.includes(word))
}
