import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import * as z from 'zod'
import { isOddArtifact, type OpenArtifact, openArtifact, readPinned, statedHash } from '../bundles/artifact-files.ts'
import { appendColumns } from '../engine/append-columns.ts'
import { isStorageError, StorageError, systemCode } from '../errors.ts'
import { writePieces } from '../export/write-stream.ts'
import { syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { type FileMark, markFile } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import type { MergeSource, OpenMerge } from './open-merge.ts'
import { ofSource } from './source-views.ts'

/** A model file that comes. `path` is where it will lie, relative to artifacts/. */
export interface StagedModel {
  readonly path: string
  readonly staged: string
  readonly mark: FileMark
}

export interface StagedModels {
  readonly files: readonly StagedModel[]
  readonly warnings: readonly string[]
}

/**
 * Copies the model files that the target lacks to `folder`, each read back and compared. A file keeps its place; where another file has it, it is
 * named by its hash, and `s<i>_paths(artifact_id, path)` says so. With all datasets, files that no row names come too: nirs4all writes some. A
 * model whose row is there without its file gets the file, if it is the one that the row states.
 */
export const stageModels = async (merge: OpenMerge, folder: string): Promise<StagedModels> => {
  const staging = new Staging(merge, folder)
  for (const source of merge.sources) await staging.copySource(source)
  if (staging.files.length > 0) await syncFolder(folder)
  return staging
}

/** Rows of models that come and lead to something else than a file inside artifacts/: the row comes, no file does. */
export const findOddModels = async ({ engine, sources, request }: Pick<OpenMerge, 'engine' | 'sources' | 'request'>): Promise<string[]> => {
  const warnings: string[] = []
  for (const { index, resolved } of sources) {
    for (const { artifact_path } of await engine.rows(Row, comingModels(index))) {
      request.signal?.throwIfAborted()
      if (await isOddArtifact(resolved.root, artifact_path))
        warnings.push(`${resolved.name}: the model ${artifact_path} is no regular file inside artifacts/ and was not copied.`)
    }
  }
  return warnings
}

/** Whether a source has model files that the target lacks and that come without any row. */
export const hasMissingModels = async (merge: OpenMerge): Promise<boolean> => {
  for (const source of merge.sources) {
    if (await hasFileOfKnown(merge, source)) return true
    if (merge.request.datasets !== null) continue
    for (const path of await unnamedFiles(merge, source)) {
      const own = await hashOf(source.resolved.root, path)
      if (own === null) continue
      const at = (place: string) => (merge.target === null ? Promise.resolve(null) : contentAt(merge.target.resolved.root, place))
      if ((await at(await placeFor(path, own, at))) !== own) return true
    }
  }
  return false
}

const hasFileOfKnown = async (merge: OpenMerge, { index, resolved }: MergeSource): Promise<boolean> => {
  for (const row of await merge.engine.rows(KnownRow, knownModels(index, merge.request.datasets))) {
    const stated = await missingHash(merge, row, row.place)
    if (stated !== null && (await hashOf(resolved.root, row.artifact_path)) === stated) return true
  }
  return false
}

const hashOf = async (root: string, path: string): Promise<string | null> => {
  const file = await openOrNull(root, path)
  await file?.pinned.close()
  return file?.sha256 ?? null
}

const openOrNull = async (root: string, path: string) => {
  try {
    return await openArtifact(root, path)
  } catch (error) {
    if (isStorageError(error, 'artifact_corrupt')) return null
    throw error
  }
}

/** SHA-256 of what lies at a path; null for nothing, an empty text for what is no regular file. */
const contentAt = async (root: string, path: string): Promise<string | null> =>
  (await hashOf(root, path)) ?? ((await isOddArtifact(root, path)) ? '' : null)

/** Where a file will lie: under its own name, or under the first one made of its hash under which nothing else lies. */
const placeFor = async (path: string, sha256: string, at: (path: string) => Promise<string | null>): Promise<string> => {
  const named = `${sha256.slice(0, 2)}/${sha256}`
  let place = path
  for (let nth = 1; ; nth += 1) {
    const there = await at(place)
    if (there === null || there === sha256) return place
    place = `${named}${nth === 1 ? '' : `-${nth}`}${extname(path)}`
  }
}

const unnamedFiles = async ({ engine }: OpenMerge, source: MergeSource): Promise<string[]> => {
  if (source.resolved.kind === 'portable') return []
  const rows = await engine.rows(z.object({ artifact_path: z.string() }), `SELECT artifact_path FROM source_${source.index}.main.artifacts`)
  const named = new Set(rows.map((row) => row.artifact_path))
  return (await filesBelow(join(source.resolved.root, 'artifacts'), '')).filter((path) => !named.has(path))
}

const Row = z.object({ artifact_id: z.string(), artifact_path: z.string(), content_hash: z.string(), new_id: z.string() })

const comingModels = (source: number): string =>
  `SELECT artifact_id, artifact_path, content_hash, m.new_id FROM ${ofSource(source, 'artifacts')} JOIN ${ofSource(source, 'map')} m
   ON m.tbl = 'artifacts' AND m.old_id = artifact_id AND m.action = 'insert' ORDER BY artifact_id`

const KnownRow = Row.extend({ place: z.string().nullable() })

/** Models of the chosen datasets whose row is there already, and the path that the row of the target has; null for one that comes itself. */
const knownModels = (source: number, datasets: readonly string[] | null): string => {
  const ofChosen = `s.artifact_id IN (SELECT artifact_id FROM ${ofSource(source, 'refs')} WHERE chain_id IN (SELECT old_chain FROM ${ofSource(source, 'matched')}))`
  return `SELECT s.artifact_id, s.artifact_path, s.content_hash, m.new_id, t.artifact_path AS place FROM ${ofSource(source, 'artifacts')} s
    JOIN ${ofSource(source, 'map')} m ON m.tbl = 'artifacts' AND m.old_id = s.artifact_id AND m.action = 'same'
    LEFT JOIN target_catalog.main.artifacts t ON t.artifact_id = m.new_id ${datasets === null ? '' : `WHERE ${ofChosen}`} ORDER BY s.artifact_id`
}

/** The hash that the row of a model states when nothing lies where the target wants its file; null otherwise. Nothing is read. */
const missingHash = async ({ target }: OpenMerge, row: z.infer<typeof Row>, place: string | null): Promise<string | null> => {
  if (target === null || place === null) return null
  const { root } = target.resolved
  if ((await isOddArtifact(root, place)) || (await exists(join(root, 'artifacts', place)))) return null
  return statedHash(row.content_hash)
}

class Staging implements StagedModels {
  readonly files: StagedModel[] = []
  readonly warnings: string[] = []
  readonly #merge: OpenMerge
  readonly #folder: string
  /** What `contentAt` says of what lies, or will lie, at a path. */
  readonly #there = new Map<string, string | null>()
  /** What rows that come without their file say of a path where nothing lies: no other model may be put there. */
  readonly #claimed = new Map<string, string>()
  /** Where the files of models lie whose rows come, by the id of the row. */
  readonly #places = new Map<string, string>()

  constructor(merge: OpenMerge, folder: string) {
    this.#merge = merge
    this.#folder = folder
  }

  async copySource(source: MergeSource): Promise<void> {
    const { engine, request } = this.#merge
    for (const row of await engine.rows(KnownRow, knownModels(source.index, request.datasets))) await this.#fill(source, row)
    const rows = await engine.rows(Row, comingModels(source.index))
    const moved = new Map<string, string>()
    for (const row of rows) {
      const path = await this.#copy(source, row.artifact_path, statedHash(row.content_hash))
      this.#places.set(row.new_id, path)
      if (path !== row.artifact_path) moved.set(row.artifact_id, path)
    }
    await engine.run(`CREATE TABLE ${ofSource(source.index, 'paths')} (artifact_id VARCHAR, path VARCHAR)`)
    await appendColumns(engine, { alias: 'memory', table: `s${source.index}_paths` }, [
      { type: 'varchar', values: [...moved.keys()] },
      { type: 'varchar', values: [...moved.values()] },
    ])
    if (request.datasets === null) for (const path of await unnamedFiles(this.#merge, source)) await this.#copy(source, path, null)
  }

  async #fill({ resolved }: MergeSource, row: z.infer<typeof KnownRow>): Promise<void> {
    this.#merge.request.signal?.throwIfAborted()
    const place = row.place ?? this.#places.get(row.new_id) ?? null
    const stated = await missingHash(this.#merge, row, place)
    if (place === null || stated === null || (await this.#contentAt(place)) !== null) return
    const file = await openOrNull(resolved.root, row.artifact_path)
    try {
      if (file?.sha256 === stated) await this.#stage(file, row.artifact_path, place)
    } finally {
      await file?.pinned.close()
    }
  }

  /** Where the file lies in the end; a file that is not there keeps its path unless another file has it. */
  async #copy({ resolved }: MergeSource, path: string, stated: string | null): Promise<string> {
    this.#merge.request.signal?.throwIfAborted()
    const file = await openOrNull(resolved.root, path)
    try {
      const sha256 = file?.sha256 ?? stated
      if (sha256 === null) return path
      if (file !== null && stated !== null && stated !== sha256)
        this.warnings.push(`${resolved.name}: artifacts/${path} is not the file that its row describes; it was copied as it is.`)
      const free = await placeFor(path, sha256, async (place) => (await this.#contentAt(place)) ?? this.#claimed.get(place) ?? null)
      if (file === null) this.#claimed.set(free, sha256)
      if (file === null || (await this.#contentAt(free)) === sha256) return free
      await this.#stage(file, path, free)
      return free
    } finally {
      await file?.pinned.close()
    }
  }

  async #stage({ pinned, sha256 }: OpenArtifact, path: string, place: string): Promise<void> {
    const staged = join(this.#folder, String(this.files.length))
    await writePieces(staged, readPinned(pinned))
    await faultPoint({ kind: 'engine-write', path: staged })
    await syncFile(staged)
    const mark = await markFile(staged)
    if (mark.sha256 !== sha256)
      throw new StorageError('verification_failed', `The copy of artifacts/${path} differs from the original. Nothing was merged.`, {
        path,
      })
    this.files.push({ path: place, staged, mark })
    this.#there.set(place, sha256)
  }

  async #contentAt(path: string): Promise<string | null> {
    const seen = this.#there.get(path)
    if (seen !== undefined) return seen
    const sha256 = this.#merge.target === null ? null : await contentAt(this.#merge.target.resolved.root, path)
    this.#there.set(path, sha256)
    return sha256
  }
}

const filesBelow = async (folder: string, inside: string): Promise<string[]> => {
  const files: string[] = []
  for (const entry of await entriesOf(folder)) {
    if (entry.isDirectory()) files.push(...(await filesBelow(join(folder, entry.name), `${inside}${entry.name}/`)))
    else if (entry.isFile()) files.push(`${inside}${entry.name}`)
  }
  return files.sort()
}

const entriesOf = async (folder: string) => {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}
