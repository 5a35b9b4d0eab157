import { createHash, randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { systemCode } from '../errors.ts'
import { makeFolder, rename, syncFile, syncFolder, writeNewFile } from '../files/disk.ts'
import { hashFile } from '../files/hash-file.ts'
import { exists, unlinkIfThere } from '../files/move-file.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeStoredText, optionsOf } from '../options/option-schemas.ts'
import { seen, written } from '../store/store-session.ts'
import { artifactFile, artifactPath } from './artifact-path.ts'

export interface ArtifactInput {
  readonly content: Uint8Array
  readonly operator_class?: string | undefined
  /** transformer, encoder, model, meta_model, splitter … */
  readonly artifact_type?: string | undefined
  /** joblib (default), cloudpickle … */
  readonly format?: string | undefined
}

const Artifact = optionsOf<ArtifactInput>({
  content: z.instanceof(Uint8Array),
  operator_class: maybeStoredText,
  artifact_type: maybeStoredText,
  format: maybeStoredText,
})

/**
 * Keeps the bytes of a model under their SHA-256; the same bytes are kept once per kind of file (joblib, pickle and cloudpickle, all others) and
 * get the same id.
 */
export const saveArtifact = async (engine: Engine, root: string, input: ArtifactInput): Promise<string> => {
  checkGiven(Artifact, input, 'the model')
  const hash = createHash('sha256').update(input.content).digest('hex')
  const format = input.format ?? 'joblib'
  const path = artifactPath(hash, format)
  await placeFile(root, artifactFile(root, path), hash, input.content)
  const [known] = await engine.rows(
    z.object({ id: z.string() }),
    `SELECT artifact_id AS id FROM ${seen('artifacts')} WHERE content_hash = $hash AND artifact_path = $path ORDER BY 1 LIMIT 1`,
    { hash, path },
  )
  if (known !== undefined) return known.id
  const id = randomUUID()
  await engine.run(
    `INSERT INTO ${written('artifacts')} (artifact_id, artifact_path, content_hash, operator_class, artifact_type, format, size_bytes)
     VALUES ($id, $path, $hash, $operator, $type, $format, $bytes)`,
    {
      id,
      path,
      hash,
      operator: input.operator_class ?? null,
      type: input.artifact_type ?? null,
      format,
      bytes: BigInt(input.content.length),
    },
  )
  return id
}

/** The file is there, whole and durable, before a row names it. One with other content under this name is replaced: it was damaged. */
const placeFile = async (root: string, file: string, hash: string, content: Uint8Array): Promise<void> => {
  const folder = dirname(file)
  if (await holds(file, hash)) {
    // Whoever wrote it may have been stopped before it was on the disk.
    await syncFile(file)
    for (const name of [folder, join(root, 'artifacts'), root]) await syncFolder(name)
    return
  }
  const isNewFolder = !(await exists(folder))
  if (isNewFolder) await makeFolder(folder)
  const beside = join(folder, `.${process.pid}-${randomUUID()}.tmp`)
  try {
    await writeNewFile(beside, content)
    await rename(beside, file)
  } finally {
    await unlinkIfThere(beside)
  }
  await syncFolder(folder)
  if (isNewFolder) for (const above of [join(root, 'artifacts'), root]) await syncFolder(above)
}

const holds = async (file: string, hash: string): Promise<boolean> => {
  try {
    return (await hashFile(file)) === hash
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
