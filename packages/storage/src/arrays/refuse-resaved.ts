import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../engine/open-engine.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import { StorageError, systemCode } from '../errors.ts'
import type { ArrayRef } from './array-reader.ts'
import { fileOfPlace } from './file-of-place.ts'
import { idCondition } from './id-condition.ts'
import { openParquet } from './parquet-file.ts'

/** The size that the file of a prediction had when the catalog was made, in SQL over a row of `catalog.predictions`; null without a file. */
export const fileBytes = '(SELECT max(f.bytes) FROM catalog.array_files f WHERE f.path = array_source)'

/**
 * Refuses (`interrupted`) predictions whose arrays have been saved again since their references were made: the scores that stand beside them
 * are those of another save. Told by the score that lies beside the arrays, and only where the file is no longer of the size that it had.
 * Asked after the arrays were read, it misses nothing that was saved before.
 */
export const refuseResaved = async (engine: Engine, root: string, path: string, refs: readonly ArrayRef[]): Promise<void> => {
  const bytes = await sizeOf(join(root, path))
  const doubtful = new Map(
    refs.flatMap(({ prediction_id, val_score, file_bytes }) =>
      typeof val_score === 'number' && typeof file_bytes === 'number' && file_bytes !== bytes ? [[prediction_id, val_score]] : [],
    ),
  )
  if (bytes === null || doubtful.size === 0) return
  const file = await openParquet(engine, root, path)
  try {
    if (!file.columns.has('val_score')) return
    const { sql, parameters } = idCondition([...doubtful.keys()])
    const select = `SELECT prediction_id, max_by(val_score::DOUBLE, file_row_number)
      FROM ${file.relation} WHERE ${sql} AND val_score IS NOT NULL GROUP BY prediction_id`
    const others: string[] = []
    for await (const chunk of streamChunks(engine, select, parameters)) {
      const scores = chunk.values(1)
      others.push(...chunk.texts(0).filter((id, row): id is string => id !== null && !isSame(scores[row], doubtful.get(id))))
    }
    if (others.length > 0) throw resaved(path, others)
  } finally {
    await file.close()
  }
}

const isSame = (one: unknown, other: number | undefined): boolean => one === other || (Number.isNaN(one) && Number.isNaN(other))

const sizeOf = async (path: string): Promise<number | null> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null
    throw error
  }
}

export const resaved = (source: string, ids: readonly string[]): StorageError => {
  const place = fileOfPlace(source)
  const others = ids.length > 1 ? ` and ${ids.length - 1} more` : ''
  return new StorageError(
    'interrupted',
    `Prediction ${ids[0]}${others} was saved again since the workspace was last read: the arrays that ${place} has by now belong to other scores than those that are known. Nothing was changed.`,
    {
      path: place,
      ids: ids.slice(0, 100),
      hint: 'Read the workspace again; while another program has its store open, wait until that lets go.',
    },
  )
}
