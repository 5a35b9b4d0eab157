import { join } from 'node:path'
import { arrayFileName } from '../arrays/file-name.ts'
import { readTombstones } from '../arrays/tombstones.ts'
import { isStorageError, StorageError } from '../errors.ts'
import type { AppendContext } from './append-rows.ts'
import { findRows, type LiveRow } from './row-positions.ts'
import { addTombstones } from './tombstone-file.ts'

/**
 * Marks predictions as removed, durably. Those without rows need no mark; when a file cannot be read, whatever may be in it gets one.
 * The list of removed predictions is by id, whatever the dataset: with a dataset named, an id that has rows in another one too is refused
 * with `validation`, and a file of another dataset that cannot be read with `arrays_corrupt`. Fails with `tombstones_corrupt` when the list
 * is damaged. Whatever is refused changes nothing.
 */
export const deleteBatch = async (context: AppendContext, ids: ReadonlySet<string>, datasetName?: string): Promise<number> => {
  const tombstones = await readTombstones(context.folder.path)
  const wanted = new Set([...ids].filter((id) => !tombstones.has(id)))
  if (wanted.size === 0) return 0
  const { inside, elsewhere } = await findIds(context, wanted, datasetName)
  if (datasetName !== undefined) refuseShared(inside, elsewhere, datasetName)
  return addTombstones(context.folder, inside)
}

interface FoundIds {
  readonly inside: ReadonlySet<string>
  /** With another dataset that has rows of them. */
  readonly elsewhere: ReadonlyMap<string, string>
}

const findIds = async (context: AppendContext, ids: ReadonlySet<string>, datasetName: string | undefined): Promise<FoundIds> => {
  const inside = new Set<string>()
  const elsewhere = new Map<string, string>()
  for (const name of await context.folder.names()) {
    const rows = await rowsIn(context, name, ids)
    if (rows === null && datasetName !== undefined && name !== arrayFileName(datasetName)) throw unknownRows(context, name)
    if (rows === null) for (const id of ids) inside.add(id)
    for (const { prediction_id, dataset_name } of rows ?? []) {
      if (datasetName === undefined || dataset_name === datasetName) inside.add(prediction_id)
      else elsewhere.set(prediction_id, dataset_name)
    }
  }
  return { inside, elsewhere }
}

/** Null when the file cannot be read. */
const rowsIn = async ({ folder, engine }: AppendContext, name: string, ids: ReadonlySet<string>): Promise<LiveRow[] | null> => {
  try {
    const reader = await folder.open(name, engine)
    return [...(await findRows(reader, ids).finally(() => reader.close())).values()]
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return null
    throw error
  }
}

const refuseShared = (inside: ReadonlySet<string>, elsewhere: ReadonlyMap<string, string>, datasetName: string): void => {
  const [first, ...others] = [...elsewhere].filter(([id]) => inside.has(id))
  if (first === undefined) return
  const [id, dataset] = first
  const more = others.length === 0 ? '' : ` (so have ${others.length} more)`
  throw new StorageError(
    'validation',
    `The prediction ${quoted(id)} has arrays in the dataset ${quoted(dataset)} too${more}: they cannot be removed from ${quoted(datasetName)} alone. Nothing was changed.`,
    { ids: [id, ...others.map(([other]) => other)], hint: 'Without the name of a dataset they are removed from every dataset.' },
  )
}

const unknownRows = ({ folder }: AppendContext, name: string): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `arrays/${name} cannot be read: whether another dataset has arrays of these predictions in it is unknown. Nothing was changed.`,
    {
      path: join(folder.path, name),
      hint: 'Restore the file from a backup; without the name of a dataset the predictions are removed from every dataset.',
    },
  )

const quoted = (text: string): string => JSON.stringify(text.slice(0, 200))
