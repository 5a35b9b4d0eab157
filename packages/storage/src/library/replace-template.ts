import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../errors.ts'
import { rename, syncFolder, writeNewFile } from '../files/disk.ts'
import { ownMark } from '../files/process-mark.ts'
import { finishRestore } from './finish-restore.ts'
import { isSameFile } from './is-contained.ts'
import { canonicalJson, prettyJson } from './json-text.ts'
import type { JsonObject } from './json-tree.ts'
import { templateBusy, templateNotFound } from './library-error.ts'
import { isFileAt, trashName } from './library-folder.ts'
import type { TemplateFiles } from './publish-template.ts'
import {
  isOwnName,
  nextName,
  pendingMetadata,
  pendingName,
  pipelineName,
  type Restoring,
  readTemplate,
  type StoredTemplate,
  templateNames,
} from './read-template.ts'
import { adoptPending, dropPending, sweepTemporaryFiles } from './sweep-leftovers.ts'
import { copyToTrash, discardEntry, type KeptFiles, newEntryId, trashedTemplateName } from './trash-folder.ts'

/**
 * Another pipeline under the same name. The old version is copied to the trash; the new metadata waits in a hidden file until the rename
 * of `pipeline.json`, from which moment on it counts: a kill leaves the old template or the new one, never the pipeline of one with the
 * metrics of the other. Returns where the old version went.
 */
export const replacePipeline = (root: string, old: StoredTemplate, { metadata, pipeline }: TemplateFiles): Promise<string> =>
  withClaim(root, old, { metadata }, async (folder, { expectUntouched, hasBegun }) => {
    const beside = join(folder, `.${await ownMark()}-${randomUUID()}.tmp`)
    await writeNewFile(beside, prettyJson(pipeline))
    await expectUntouched()
    await rename(beside, join(folder, pipelineName))
    hasBegun()
    await syncFolder(folder)
    await adoptPending(root, { id: old.id, metadata })
  })

/** The same pipeline with other words about it. */
export const replaceMetadata = (root: string, old: StoredTemplate, metadata: JsonObject): Promise<string> =>
  withClaim(root, old, { metadata, staying: [pipelineName] }, async (_folder, { expectUntouched }) => {
    await expectUntouched()
    await adoptPending(root, { id: old.id, metadata })
  })

/**
 * A template of the trash with everything in its folder. One rename, out of the trash into the folder of the old version, puts it in effect;
 * what it replaces then goes to the trash whole, and its files get their places.
 */
export const replaceByTrashed = async (root: string, old: StoredTemplate, trashed: StoredTemplate): Promise<void> => {
  const [folder, from] = [join(root, old.id), join(root, trashed.id)]
  const copied: string[] = []
  for (const name of templateNames) if ((await isFileAt(join(folder, name))) && (await isFileAt(join(from, name)))) copied.push(name)
  const others = (await readdir(folder)).filter((name) => !isOwnName(name) && !copied.includes(name))
  const restoring = { keptIn: await newEntryId(), others }
  await withClaim(root, old, { metadata: trashed.metadata, restoring, names: copied }, async (_folder, { expectUntouched, hasBegun }) => {
    await expectUntouched()
    await rename(from, join(folder, nextName))
    hasBegun()
    await syncFolder(folder)
    await syncFolder(dirname(from))
    await finishRestore(root, old.id, restoring)
    await dropPending(folder)
  })
}

interface Claim extends KeptFiles {
  metadata: JsonObject
  restoring?: Restoring
}

/** Claims the template and makes sure that it still is what the caller read: nobody else changes it until the claim is given up. */
export const claimTemplate = async (root: string, old: StoredTemplate, next: JsonObject, restoring?: Restoring): Promise<string> => {
  const folder = join(root, old.id)
  await claim(join(folder, pendingName), prettyJson(pendingMetadata(next, old.metadata, await ownMark(), restoring)), old.pending)
  try {
    await syncFolder(folder)
    const current = await readTemplate(root, old)
    if (current !== undefined && !('reason' in current) && isSameVersion(current, old)) return folder
    throw templateBusy(folder, 'none')
  } catch (error) {
    await dropPending(folder)
    throw error
  }
}

type State = 'untouched' | 'about to begin' | 'begun'

interface Steps {
  /** Right before the first rename. Throws `workspace_busy`. */
  expectUntouched(): Promise<void>
  /** Right behind it, where the files alone do not tell: from now on the claim stays until the replacement is finished. */
  hasBegun(): void
}

/**
 * Claims the template, and keeps its version before `commit` replaces it. What fails before anything is replaced leaves neither claim nor copy:
 * other processes would wait for this one to end.
 */
const withClaim = async (
  root: string,
  old: StoredTemplate,
  { metadata, restoring, names = templateNames, staying = [] }: Claim,
  commit: (folder: string, steps: Steps) => Promise<void>,
): Promise<string> => {
  const folder = await claimTemplate(root, old, metadata, restoring)
  const trashId = restoring?.keptIn ?? (await newEntryId())
  const entry = join(root, trashName, trashId)
  const isKept = () => isAsKept(folder, join(entry, trashedTemplateName), names)
  let state: State = 'untouched'
  try {
    await copyToTrash(root, old, { names, staying }, trashId)
    await commit(folder, {
      expectUntouched: async () => {
        if (!(await isKept())) throw templateBusy(folder, 'none')
        state = 'about to begin'
      },
      hasBegun: () => {
        state = 'begun'
      },
    })
    return trashId
  } catch (error) {
    if (await isUntouched(state, isKept)) await takeBack(folder, entry)
    throw error
  }
}

const isUntouched = async (state: State, isKept: () => Promise<boolean>): Promise<boolean> =>
  state === 'untouched' || (state === 'about to begin' && (await isKept().catch(() => false)))

const takeBack = async (folder: string, entry: string): Promise<void> => {
  await sweepTemporaryFiles(folder)
  await dropPending(folder)
  await discardEntry(entry)
}

/** Another program may have given a name to a new file since the old one was kept. */
const isAsKept = async (folder: string, kept: string, names: readonly string[]): Promise<boolean> => {
  for (const name of names) {
    const isThere = (await isFileAt(join(folder, name))) || (await isFileAt(join(kept, name)))
    if (isThere && !(await isSameFile(join(folder, name), join(kept, name)))) return false
  }
  return true
}

const isSameVersion = (current: StoredTemplate, old: StoredTemplate): boolean =>
  current.hash === old.hash && canonicalJson(current.metadata) === canonicalJson(old.metadata)

// The pending file can be made once only: of two processes that change one template, the second is turned away.
const claim = async (path: string, text: string, pending: StoredTemplate['pending']): Promise<void> => {
  try {
    await writeNewFile(path, text)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw templateNotFound(basename(dirname(path)))
    if (systemCode(error) !== 'EEXIST') throw error
    throw templateBusy(path, pending, error)
  }
}
