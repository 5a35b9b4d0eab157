import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError, systemCode } from '../errors.ts'
import { checkText } from '../options/check-options.ts'
import { ArtifactRecord, columnsFor } from '../store/store-rows.ts'
import { seen } from '../store/store-session.ts'
import { artifactFile } from './artifact-path.ts'
import { countReferences, readReferences } from './count-references.ts'

/** The bytes of a model, which are what was saved. Throws `artifact_missing`, `artifact_corrupt`. */
export const loadArtifact = async (engine: Engine, root: string, id: string): Promise<Uint8Array> => {
  checkText('artifact_id', id)
  const [row] = await engine.rows(
    ArtifactRecord,
    `SELECT ${columnsFor(ArtifactRecord)} FROM ${seen('artifacts')} WHERE artifact_id = $id`,
    {
      id,
    },
  )
  if (row === undefined) throw new StorageError('artifact_missing', `The workspace has no model ${id.slice(0, 200)}.`, { ids: [id] })
  const content = await readContent(artifactFile(root, row.artifact_path), row.artifact_path)
  // The library writes the hash with and without its name.
  if (createHash('sha256').update(content).digest('hex') === row.content_hash.replace(/^sha256:/, '')) return content
  throw new StorageError('artifact_corrupt', `artifacts/${row.artifact_path} is not what was saved. Nothing was changed.`, {
    path: row.artifact_path,
    ids: [id],
    hint: 'Restore the file from a backup, or train the model again.',
  })
}

const readContent = async (file: string, path: string): Promise<Uint8Array> => {
  try {
    return await readFile(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new StorageError('artifact_missing', `artifacts/${path} is not there. Nothing was changed.`, { path }, error)
  }
}

export interface ListedArtifact extends ArtifactRecord {
  /** By how many chains it is named. */
  readonly references: number
}

export const listArtifacts = async (engine: Engine): Promise<ListedArtifact[]> => {
  const rows = await engine.rows(ArtifactRecord, `SELECT ${columnsFor(ArtifactRecord)} FROM ${seen('artifacts')} ORDER BY artifact_id`)
  const counts = countReferences(await readReferences(engine))
  return rows.map((row) => ({ ...row, references: counts.get(row.artifact_id) ?? 0 }))
}
