import { join } from 'node:path'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { isStorageError, StorageError } from '../errors.ts'
import type { AppendContext } from './append-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import { uncarriedColumns } from './damaged-file.ts'
import { dropFrom, rowsToDrop, type WantedRows } from './drop-arrays.ts'
import { openUnlessGone } from './read-rows.ts'
import { type LiveRow, rowKey } from './row-positions.ts'

/** What tells a row apart. */
export type RowIdentity = Pick<LiveRow, 'prediction_id' | 'dataset_name'>

/** Rows that stay removed when the marks of their ids go, and the files that have them. */
export interface RemovedElsewhere {
  readonly rows: WantedRows
  readonly files: readonly string[]
}

/** The ids of removed predictions; none when the list is damaged, as nothing is removed then, and no mark goes. */
export const removedIds = async ({ folder }: AppendContext): Promise<{ has(id: string): boolean }> =>
  (await readTombstonesIfSound(folder.path)) ?? new Set<string>()

/**
 * The list of removed predictions is by id: a mark that goes because its id is saved in one dataset would bring the removed rows of the
 * others back. Finds those. Fails with `arrays_corrupt` when a file cannot tell, and when it could not be written without them.
 */
export const findRemovedElsewhere = async (context: AppendContext, saved: readonly RowIdentity[]): Promise<RemovedElsewhere> => {
  const ids = new Set(saved.map(({ prediction_id }) => prediction_id))
  const kept = new Set(saved.map(({ prediction_id, dataset_name }) => rowKey(dataset_name, prediction_id)))
  const rows: WantedRows = { ids, isWanted: (id, dataset) => ids.has(id) && !kept.has(rowKey(dataset, id)) }
  const files: string[] = []
  if (ids.size > 0) for (const name of await context.folder.names()) if (await holds(context, name, rows)) files.push(name)
  return { rows, files }
}

/** Only once what is saved is durable, and before the marks go. */
export const dropRemovedElsewhere = async (context: AppendContext, { rows, files }: RemovedElsewhere): Promise<void> => {
  for (const name of files) await dropFrom(context, name, rows)
}

const holds = async (context: AppendContext, name: string, rows: WantedRows): Promise<boolean> => {
  try {
    const reader = await openUnlessGone(context.folder, name, context.engine)
    if (reader === null) return false
    return await canDrop(reader, rows).finally(() => reader.close())
  } catch (error) {
    throw isStorageError(error, 'arrays_corrupt') ? unknownRows(context, name, error) : error
  }
}

const canDrop = async (reader: ArrayFileReader, rows: WantedRows): Promise<boolean> => {
  if ((await rowsToDrop(reader, rows)).count === 0) return false
  if (reader.uncarried.length > 0) throw uncarriedColumns(reader.name, reader.uncarried)
  await reader.requireDecodable()
  return true
}

const unknownRows = ({ folder }: AppendContext, name: string, cause: unknown): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `arrays/${name} cannot be read: removed rows in it could come back when their predictions are saved in another dataset. Nothing was changed.`,
    { path: join(folder.path, name), hint: 'Restore the file from a backup, or move it out of arrays/.' },
    cause,
  )
