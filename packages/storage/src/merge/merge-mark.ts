import { randomUUID } from 'node:crypto'

const markForm = /\n?nirs-workspace merge [0-9a-f-]{36}/g

/** Ids of jobs may come again; this does not. */
export const newMark = (): string => `nirs-workspace merge ${randomUUID()}`

/** The comment of a table with the mark of a merge; what others have written there stays, the mark of an earlier merge goes. */
export const commentWith = (mark: string, before: string | null): string => {
  const others = (before ?? '').replaceAll(markForm, '')
  return others === '' ? mark : `${others}\n${mark}`
}
