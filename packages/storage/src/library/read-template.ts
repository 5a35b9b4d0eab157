import { randomUUID } from 'node:crypto'
import { join, sep } from 'node:path'
import { pinFile } from '../arrays/pin-file.ts'
import { isStorageError } from '../errors.ts'
import { digestOf } from '../files/exclusive-right.ts'
import { contentHash, prettyJson } from './json-text.ts'
import { deepest, type JsonObject, type JsonTree, parseJsonTree } from './json-tree.ts'
import { lstatIfThere } from './library-folder.ts'

export const pipelineName = 'pipeline.json'
export const metadataName = 'metadata.json'
export const readmeName = 'README.md'
/** Metadata of a replacement that is under way; it counts from the moment that `pipeline.json` holds the pipeline it speaks of. */
export const pendingName = '.next-metadata.json'
/** The folder of a template that comes back out of the trash and takes the place of this one; it counts as soon as it is here. */
export const nextName = '.next-template'
/** What makes a template. */
export const templateNames: readonly string[] = [pipelineName, metadataName, readmeName]

/** Whether a name inside a template is one of ours for a change that is under way. */
export const isOwnName = (name: string): boolean => name === pendingName || name === nextName || /^\.(settle-|\d.*\.tmp$)/.test(name)

interface Bounds {
  readonly bytes: number
  readonly levels: number
}

const bounds: Bounds = { bytes: 16_000_000, levels: deepest }
/** An export holds both files of a template, one level deeper: half as long again, with their indents. */
export const exportBounds: Bounds = { bytes: 3 * bounds.bytes, levels: deepest + 1 }
const mostAttempts = 3

/** A template that comes back: the entry of the trash that keeps what it replaces, and what else than copied files goes there. */
export interface Restoring {
  readonly keptIn: string
  readonly others: readonly string[]
}

/** One template folder as it is on disk. */
export interface StoredTemplate {
  /** `<category folder>/<template folder>`. */
  readonly id: string
  readonly categoryFolder: string
  readonly folder: string
  readonly metadata: JsonObject
  readonly pipeline: JsonObject
  readonly hash: string
  /** A replacement was cut short: its metadata is in effect already, or to be thrown away. */
  readonly pending: 'none' | 'in effect' | 'void'
  /** The mark of the process that began the replacement; empty when that is not known. */
  readonly pendingWriter: string
  /** Stands for the content of the pending file; empty without one, and for one that cannot be read. */
  readonly pendingDigest: string
  /** What is in effect is a restore. */
  readonly restoring: Restoring | null
}

type Place = Pick<StoredTemplate, 'categoryFolder' | 'folder'>

/** A template, undefined for a folder that holds none, or the reason why it cannot be read. */
export const readTemplate = async (root: string, place: Place): Promise<StoredTemplate | { reason: string } | undefined> => {
  for (let attempt = 1; ; attempt++) {
    const template = await readOnce(root, place)
    if (attempt === mostAttempts || template === undefined || 'reason' in template || speaksOfItself(template)) return template
  }
}

// Pipeline and metadata are two files: when they do not fit, another process may have replaced both between the two reads.
const speaksOfItself = ({ metadata, hash }: StoredTemplate): boolean => (metadata.get('content_hash') ?? hash) === hash

const readOnce = async (root: string, place: Place): Promise<StoredTemplate | { reason: string } | undefined> => {
  try {
    const id = place.categoryFolder === '' ? place.folder : `${place.categoryFolder}/${place.folder}`
    const stored = await readTree(root, `${id}/${pipelineName}`)
    const own = await readTree(root, `${id}/${metadataName}`)
    const next = await readPending(root, id)
    const restoring = await readRestoring(root, id, next?.tree)
    const content = restoring === null ? stored : await readIncoming(root, id)
    if (content === undefined) return own === undefined ? undefined : { reason: `${pipelineName} is missing` }
    const pipeline = toPipeline(content)
    if (pipeline === undefined) return { reason: `${pipelineName} is neither a list of steps nor an object` }
    if (own !== undefined && !(own instanceof Map)) return { reason: `${metadataName} is not an object` }
    const current: JsonObject = own ?? new Map()
    const hash = contentHash(pipeline)
    const inEffect = restoring !== null || (next !== undefined && isInEffect(next.tree, current, hash))
    const pending = next === undefined ? 'none' : inEffect ? 'in effect' : 'void'
    const metadata = pending === 'in effect' && next?.tree instanceof Map ? withoutMarks(next.tree) : current
    const pendingWriter = writerOf(next?.tree)
    return { id, ...place, metadata, pipeline, hash, pending, pendingWriter, pendingDigest: next?.digest ?? '', restoring }
  } catch (error) {
    if (error instanceof UnreadableFile) return { reason: error.message }
    throw error
  }
}

/** The pipeline as nirs4all takes it back: an object; a bare list of steps goes under `pipeline`. */
export const toPipeline = (tree: JsonTree): JsonObject | undefined => {
  if (tree instanceof Map) return tree
  return Array.isArray(tree) ? new Map([['pipeline', tree]]) : undefined
}

/** A JSON file inside `root`; undefined when it is not there. Throws `UnreadableFile`. */
export const readTree = async (root: string, relativePath: string, within = bounds): Promise<JsonTree | undefined> => {
  const bytes = await readSmallFile(root, relativePath, within)
  return bytes === undefined ? undefined : parseTree(bytes, relativePath.split('/').at(-1) ?? relativePath, within)
}

/** Why a file of this content could not be read back; undefined when it can be. */
export const whyUnreadable = (tree: JsonTree): string | undefined => {
  try {
    const text = prettyJson(tree)
    if (Buffer.byteLength(text) > bounds.bytes) return tooLarge(bounds)
    parseJsonTree(text)
    return undefined
  } catch (error) {
    if (error instanceof SyntaxError) return error.message
    // Longer than any text can be.
    if (error instanceof RangeError) return tooLarge(bounds)
    throw error
  }
}

const tooLarge = ({ bytes }: Bounds): string => `larger than ${bytes} bytes`

const parseTree = (bytes: Uint8Array, name: string, { levels }: Bounds): JsonTree => {
  try {
    return parseJsonTree(new TextDecoder('utf-8', { fatal: true }).decode(bytes), levels)
  } catch (error) {
    if (error instanceof SyntaxError) throw new UnreadableFile(`${name} is ${error.message}`, { cause: error })
    if (error instanceof TypeError) throw new UnreadableFile(`${name} is not UTF-8 text`, { cause: error })
    throw error
  }
}

export class UnreadableFile extends Error {}

const readSmallFile = async (root: string, relativePath: string, within: Bounds): Promise<Uint8Array | undefined> => {
  try {
    const file = await pinFile(root, relativePath)
    try {
      const { size } = await file.handle.stat()
      if (size > within.bytes) throw new UnreadableFile(`${relativePath} is ${tooLarge(within)}`)
      return await file.handle.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isStorageError(error, 'arrays_missing')) return undefined
    if (isStorageError(error)) throw new UnreadableFile(`${relativePath} is not a readable file of the library`, { cause: error })
    throw error
  }
}

// A pending file that is damaged was never finished: the template is what it was.
const readPending = async (root: string, id: string): Promise<{ tree: JsonTree; digest: string } | undefined> => {
  let digest = ''
  try {
    const bytes = await readSmallFile(root, `${id}/${pendingName}`, bounds)
    if (bytes === undefined) return undefined
    digest = digestOf(bytes)
    return { tree: parseTree(bytes, pendingName, bounds), digest }
  } catch (error) {
    if (error instanceof UnreadableFile) return { tree: null, digest }
    throw error
  }
}

// The file that has not moved yet is beside; a moment later it may be in its place.
const readIncoming = async (root: string, id: string): Promise<JsonTree | undefined> =>
  (await readTree(root, `${id}/${nextName}/${pipelineName}`)) ?? readTree(root, `${id}/${pipelineName}`)

/** The new metadata with what makes a pending file: whose it is (no two are alike), and upon which version it follows. */
export const pendingMetadata = (metadata: JsonObject, replaced: JsonObject, writer: string, restoring?: Restoring): JsonObject =>
  new Map<string, JsonTree>([
    ...metadata,
    [writerMark, `${writer}-${randomUUID()}`],
    [replacesMark, replaced.get('modified_at') ?? null],
    ...(restoring === undefined ? [] : [restoringEntry(restoring)]),
  ])

const restoringEntry = ({ keptIn, others }: Restoring): [string, JsonTree] => [
  restoringMark,
  new Map<string, JsonTree>([
    ['kept_in', keptIn],
    ['others', [...others]],
  ]),
]

const writerMark = 'writer'
const replacesMark = 'replaces'
const restoringMark = 'restoring'
const marks: readonly string[] = [writerMark, replacesMark, restoringMark]

const withoutMarks = (pending: JsonObject): JsonObject => new Map([...pending].filter(([field]) => !marks.includes(field)))

/** The restore that a pending file speaks of, once its folder is here; a name that would lead out of one is no name. */
const readRestoring = async (root: string, id: string, pending: JsonTree | undefined): Promise<Restoring | null> => {
  const mark = pending instanceof Map ? pending.get(restoringMark) : undefined
  const [keptIn, others] = mark instanceof Map ? [mark.get('kept_in'), mark.get('others')] : []
  if (!isPlainName(keptIn) || !Array.isArray(others) || !others.every(isPlainName)) return null
  return (await lstatIfThere(join(root, id, nextName)))?.isDirectory() ? { keptIn, others } : null
}

// A backslash leads nowhere but on Windows.
const isPlainName = (name: JsonTree | undefined): name is string =>
  typeof name === 'string' && name !== '' && name !== '.' && name !== '..' && !['/', sep, '\0'].some((sign) => name.includes(sign))

// Earlier versions wrote a number.
const writerOf = (pending: JsonTree | undefined): string => (pending instanceof Map ? String(pending.get(writerMark) ?? '') : '')

// It must follow upon the very metadata that is there, so that a leftover never outlives what another program wrote since.
const isInEffect = (next: JsonTree, current: JsonObject, hash: string): boolean =>
  next instanceof Map &&
  next.get('content_hash') === hash &&
  (current.get('content_hash') ?? null) !== hash &&
  (next.get(replacesMark) ?? null) === (current.get('modified_at') ?? null)
