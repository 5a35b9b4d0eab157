import { isStorageError, StorageError } from '../errors.ts'
import { readFooter, rowGroupSizes } from '../parquet/footer.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import type { DatasetFigures } from '../parquet/reader-messages.ts'

/** By dataset. */
export type Figures = ReadonlyMap<string, DatasetFigures>

/** A written file that is not under its name yet. */
export interface WrittenFile {
  readonly path: string
  /** What it is to be called in arrays/. */
  readonly name: string
  /** Rows that were there before, in row groups of their own. */
  readonly rowsBefore: number
}

/**
 * Throws `verification_failed` unless the rows behind those that were there before are, bit for bit, those that `source` was made of. They are
 * decoded by another reader than the one that checks what was written.
 */
export const compareRescued = async (file: WrittenFile, source: Figures, signal: AbortSignal | undefined): Promise<void> => {
  const found = await readBack(file, signal).catch((error: unknown) => {
    throw isStorageError(error, 'arrays_corrupt') ? differs(file.name, error.message) : error
  })
  const isSame = [...source].every(([dataset, { sha256 }]) => found.get(dataset)?.sha256 === sha256)
  if (found.size !== source.size || !isSame) throw differs(file.name, 'its arrays are others')
}

const readBack = async ({ path, rowsBefore }: WrittenFile, signal: AbortSignal | undefined): Promise<Figures> => {
  const sizes = rowGroupSizes((await readFooter(path)).metadata)
  const reader = new ParquetReader()
  try {
    await reader.open(path)
    let firstRow = 0
    for (const [group, rows] of sizes.entries()) {
      signal?.throwIfAborted()
      if (firstRow >= rowsBefore) await reader.digest(group)
      firstRow += rows
    }
    const figures = await reader.finish()
    await reader.done()
    return figures
  } finally {
    await reader.close()
  }
}

export const differs = (name: string, reason: string) =>
  new StorageError(
    'verification_failed',
    `arrays/${name} with what was brought back is not what store.duckdb.bak holds: ${reason}. The file was left as it was.`,
    { hint: 'Try again; if it fails again, check the disk.' },
  )
