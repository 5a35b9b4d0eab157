import type { ArrayFileWriter } from './array-file-writer.ts'
import type { GroupThreads } from './group-threads.ts'
import type { FileSummary } from './own-metadata.ts'
import { verifyAdded } from './verify-added.ts'

/** Writes the footer of a file, flushes it, and only then reads back what was written. Not yet under its name. Throws `verification_failed`. */
export const completeFile = async (writer: ArrayFileWriter, summary: FileSummary, threads?: GroupThreads): Promise<void> => {
  const added = await writer.finish(summary)
  await writer.seal()
  await verifyAdded(writer.path, added, threads)
}
