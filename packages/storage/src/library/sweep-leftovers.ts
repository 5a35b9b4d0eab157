import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { removeTree, unlink } from '../files/disk.ts'
import { digestOf, isRightHeld, unlinkIfThere, winRight } from '../files/exclusive-right.ts'
import { isElsewhere, isRunning, ownIdentity, type ProcessIdentity } from '../files/process-identity.ts'
import { isAnotherRunning, lookForAnother, ownMark } from '../files/process-mark.ts'
import { writeDurably } from '../files/write-durably.ts'
import { finishRestore } from './finish-restore.ts'
import { isContained } from './is-contained.ts'
import { prettyJson } from './json-text.ts'
import { hasRealFolder, lstatIfThere, stagingName, syncFolderIfThere, trashName } from './library-folder.ts'
import { readLabel, readTrashed, trashIds } from './list-trash.ts'
import { metadataName, pendingName, readmeName, readTemplate, type StoredTemplate } from './read-template.ts'
import { readmeText } from './readme-text.ts'
import type { LibraryContent } from './scan-library.ts'
import { closeEntry, discardEntry, trashedTemplateName } from './trash-folder.ts'

/** Milliseconds that writing a few kilobytes may take on a slow disk. */
const longestWrite = 60_000

/** Milliseconds after which a change that a process of another machine or container has begun, which takes seconds, is over. */
const longestChange = 3_600_000

/**
 * Finishes or undoes what a change that was cut short has left. The process that called holds the turn of this library. Tells whether a
 * template has changed by that.
 */
export const sweepLeftovers = async (root: string, { templates }: LibraryContent): Promise<boolean> => {
  for (const template of templates) {
    await settlePending(root, template)
    await sweepTemporaryFiles(join(root, template.id))
    await sweepRights(root, template)
  }
  await sweepStaging(join(root, stagingName))
  await sweepTrash(root, templates)
  return templates.some(({ pending }) => pending !== 'none')
}

/**
 * What a scan has found may have been settled since, and the template replaced again: only what still is what was judged is settled, by the
 * one who has the right to that content. Nobody replaces the template meanwhile, as the pending file is the claim on it.
 */
const settlePending = async (root: string, template: StoredTemplate): Promise<void> => {
  if (template.pending === 'none' || !(await isAbandoned(root, template))) return
  const folder = join(root, template.id)
  const beside = join(folder, `.${await ownMark()}-${randomUUID()}.tmp`)
  const right = await winRight(join(folder, rightStem), beside, template.pendingDigest, isOwnedByAnother)
  if (right === null) return
  try {
    const current = await readTemplate(root, template)
    if (current === undefined || 'reason' in current || current.pendingDigest !== template.pendingDigest) return
    await settle(root, current)
  } finally {
    await unlinkIfThere(right)
  }
}

const rightStem = '.settle'

/** Finishes a replacement that is in effect, and undoes one that is not. */
export const settle = async (root: string, template: StoredTemplate): Promise<void> => {
  if (template.pending === 'none') return
  if (template.restoring !== null) await finishRestore(root, template.id, template.restoring)
  else if (template.pending === 'in effect') return adoptPending(root, template)
  await dropPending(join(root, template.id))
}

/** The second half of a replacement: the metadata of the pipeline that is already in place. */
export const adoptPending = async (root: string, { id, metadata }: Pick<StoredTemplate, 'id' | 'metadata'>): Promise<void> => {
  const folder = join(root, id)
  const writer = await ownMark()
  await writeDurably(join(folder, readmeName), readmeText(metadata), writer)
  await writeDurably(join(folder, metadataName), prettyJson(metadata), writer)
  await dropPending(folder)
}

/** Gives up a claim, or what is left of it: who empties the trash takes that of a deleted template along. */
export const dropPending = async (folder: string): Promise<void> => {
  await unlinkIfThere(join(folder, pendingName))
  await syncFolderIfThere(folder)
}

// A pending file without a writer was cut short while it was written, or is being written at this moment.
export const isAbandoned = async (root: string, { id, pendingWriter }: StoredTemplate): Promise<boolean> => {
  const writer = await lookForAnother(pendingWriter)
  if (writer !== 'nobody can tell') return writer === 'gone'
  return isOlder(join(root, id, pendingName), pendingWriter === '' ? longestWrite : longestChange)
}

const isOlder = async (path: string, age: number): Promise<boolean> => {
  const status = await lstatIfThere(path)
  return status !== undefined && Date.now() - status.mtimeMs > age
}

export const sweepTemporaryFiles = async (folder: string): Promise<void> => {
  for (const name of await namesIn(folder)) {
    const marked = /^\.(\d.*-.+)\.tmp$/.exec(name)?.[1]
    if (marked !== undefined && (await isOver(marked))) await unlink(join(folder, name))
  }
}

/** A right allows nothing once the content that it speaks of has gone; until then, the next right follows upon it. */
const sweepRights = async (root: string, template: StoredTemplate): Promise<void> => {
  const folder = join(root, template.id)
  const rights = (await namesIn(folder)).filter((name) => name.startsWith(`${rightStem}-`))
  if (rights.length === 0) return
  const current = await readTemplate(root, template)
  if (current === undefined || 'reason' in current) return
  for (const name of rights) {
    const right = join(folder, name)
    const isSpent = current.pending === 'none' || !name.includes(digestOf(current.pendingDigest))
    if (isSpent && !(await isRightHeld(right, isOwnedByAnother))) await unlinkIfThere(right)
  }
}

const sweepStaging = async (staging: string): Promise<void> => {
  if (!(await hasRealFolder(staging))) return
  for (const name of await namesIn(staging)) if (await isOver(name)) await removeTree(join(staging, name))
}

const sweepTrash = async (root: string, living: readonly StoredTemplate[]): Promise<void> => {
  for (const id of await trashIds(root)) {
    if (!(await isOver(id))) continue
    const entry = join(root, trashName, id)
    if (await isEmptyEntry(entry)) {
      await sweepTemporaryFiles(entry)
      await closeEntry(entry)
    } else if (await isNeverReplaced(root, id, living)) await discardEntry(entry)
    else await dropClaim(root, id)
  }
}

// A template goes to the trash with the claim of who deletes it.
const dropClaim = async (root: string, id: string): Promise<void> => {
  const folder = join(root, trashName, id, trashedTemplateName)
  if ((await lstatIfThere(join(folder, pendingName))) === undefined) return
  const template = await readTrashed(root, id)
  if (template === undefined || 'reason' in template || template.pending !== 'void' || !(await isAbandoned(root, template))) return
  await dropPending(folder)
}

const isEmptyEntry = async (entry: string): Promise<boolean> => (await lstatIfThere(join(entry, trashedTemplateName))) === undefined

// A replacement that stopped before it took effect leaves a copy of the very version that still lives. A note beside it counts too.
const isNeverReplaced = async (root: string, id: string, living: readonly StoredTemplate[]): Promise<boolean> => {
  if ((await readLabel(root, id))?.reason !== 'replaced') return false
  const copy = await readTrashed(root, id)
  if (copy === undefined || 'reason' in copy) return false
  for (const { id: twin, hash } of living) if (hash === copy.hash && (await isContained(join(root, copy.id), join(root, twin)))) return true
  return false
}

/** Whether the process that began something is gone; our own has the turn, so what it began before is over. */
const isOver = async (marked: string): Promise<boolean> => !(await isAnotherRunning(marked))

/** Our own process has the turn: a right that it holds is one that the disk did not let it give back. */
const isOwnedByAnother = async (owner: ProcessIdentity, right: string): Promise<boolean> => {
  const own = await ownIdentity()
  if (owner.pid === own.pid && owner.host === own.host && owner.started === own.started) return false
  return isElsewhere(owner) ? !(await isOlder(right, longestChange)) : isRunning(owner)
}

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  }
}
