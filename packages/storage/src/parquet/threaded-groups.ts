import type { RowBlock } from './column-block.ts'
import type { GroupFile } from './group-file.ts'
import { type EncodedRows, failureOf, type GroupAnswer } from './group-messages.ts'
import type { GroupThreads } from './group-threads.ts'

/** Why columns of a row group of ours cannot be read, in the order of `file.forms`; null for those that can. */
export const checkGroup = async (threads: GroupThreads, file: GroupFile, group: number): Promise<readonly (string | null)[]> => {
  const answer = await threads.ask({ kind: 'check', group: file.groupToRead(group) })
  return answer.kind === 'checked' ? answer.reasons : refused(file, group, answer)
}

/** These rows (ascending) of a row group of ours. `arrays_corrupt` when anything of it is not as it was written. */
export const takeFromGroup = async (
  threads: GroupThreads,
  file: GroupFile,
  group: number,
  rows: readonly number[],
  names?: readonly string[],
): Promise<RowBlock> => {
  const answer = await threads.ask({ kind: 'take', group: file.groupToRead(group, names), rows: Uint32Array.from(rows) })
  return answer.kind === 'taken' ? answer.block : refused(file, group, answer)
}

/** As `takeFromGroup`, all columns, as a row group that can be written to a file of the same columns. */
export const encodeFromGroup = async (
  threads: GroupThreads,
  file: GroupFile,
  group: number,
  rows: readonly number[],
): Promise<EncodedRows> => {
  const { forms } = file
  const answer = await threads.ask({ kind: 'encode', group: file.groupToRead(group), rows: Uint32Array.from(rows), forms })
  return answer.kind === 'encoded' ? answer.encoded : refused(file, group, answer)
}

const refused = (file: GroupFile, group: number, answer: GroupAnswer): never => {
  if (answer.kind === 'damaged') throw file.damaged(group, answer.column, answer.reason)
  throw failureOf(answer)
}
