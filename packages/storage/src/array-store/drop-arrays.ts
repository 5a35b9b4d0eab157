import type { AppendContext } from './append-rows.ts'
import { replacedRows, visitRowsOf } from './last-rows.ts'
import { rewriteFile } from './rewrite-file.ts'
import { RowMarks } from './row-marks.ts'
import { clearSaved } from './tombstone-file.ts'

/**
 * Removes all rows of these predictions at once: a mark in the list of removed predictions would not do for one that the metadata goes on
 * knowing, as compaction takes such a mark back. A file goes with its last row.
 */
export const dropArrays = async (context: AppendContext, ids: ReadonlySet<string>): Promise<number> => {
  let dropped = 0
  for (const name of await context.folder.names()) dropped += await dropFrom(context, name, ids)
  await clearSaved(context.folder, ids)
  return dropped
}

const dropFrom = async (context: AppendContext, name: string, ids: ReadonlySet<string>): Promise<number> => {
  const { folder } = context
  const stamp = await folder.stamp(name)
  const reader = await folder.open(name, context.engine)
  try {
    const all = new RowMarks(reader.rows)
    await visitRowsOf(reader, ids, (row, id) => {
      if (ids.has(id)) all.add(row)
    })
    if (all.count === 0) return 0
    await rewriteFile(context, name, stamp, reader, { all, replaced: await replacedRows(reader) })
    return all.count
  } finally {
    await reader.close()
  }
}
