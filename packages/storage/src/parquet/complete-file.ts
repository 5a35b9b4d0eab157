import type { ArrayFileWriter } from './array-file-writer.ts'
import type { GroupThreads } from './group-threads.ts'
import type { FileSummary } from './own-metadata.ts'
import { verifyAdded } from './verify-added.ts'

/**
 * Writes the footer of a file, then flushes it and reads back what was written, both at the same time. Not yet under its name. Throws
 * `verification_failed`, or why it could not be flushed.
 */
export const completeFile = async (writer: ArrayFileWriter, summary: FileSummary, threads?: GroupThreads): Promise<void> => {
  const added = await writer.finish(summary)
  // Both to their end: whoever removes the file after a failure must not find it in use.
  const results = await Promise.allSettled([writer.seal(), verifyAdded(writer.path, added, threads)])
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
