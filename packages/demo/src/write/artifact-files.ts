import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactRow } from './legacy-rows.ts'
import { type Json, pythonJson } from './python-json.ts'

export interface Artifact {
  readonly row: ArtifactRow
  readonly content: string
}

export interface ArtifactSubject {
  readonly id: string
  readonly type: 'transformer' | 'model'
  readonly operatorClass: string
  readonly createdAt: number
  readonly state: Json
}

/** Significant digits kept of a coefficient: more says nothing about a calibration. */
const DIGITS = 9

export const coefficientList = (values: Float64Array): number[] => Array.from(values, (value) => Number(value.toPrecision(DIGITS)))

/**
 * A fitted object under a name made from its own content, as the library's registry names them. The library pickles Python
 * objects; these were fitted here and say so: JSON, format `json`.
 */
export const makeArtifact = (subject: ArtifactSubject): Artifact => {
  const content = pythonJson({ operator: subject.operatorClass, state: subject.state })
  const hash = createHash('sha256').update(content).digest('hex')
  return {
    content,
    row: {
      artifact_id: subject.id,
      artifact_path: `${hash.slice(0, 2)}/${subject.type}_${subject.operatorClass}_${hash.slice(0, 12)}.json`,
      content_hash: `sha256:${hash}`,
      operator_class: subject.operatorClass,
      artifact_type: subject.type,
      format: 'json',
      size_bytes: Buffer.byteLength(content),
      created_at: subject.createdAt,
    },
  }
}

/** Writes each distinct content once below `artifacts/`. */
export const writeArtifacts = async (directory: string, artifacts: readonly Artifact[]): Promise<void> => {
  const files = new Map(artifacts.map((artifact) => [artifact.row.artifact_path, artifact.content] as const))
  const folders = new Set([...files.keys()].map((path) => path.slice(0, 2)))
  for (const folder of folders) await mkdir(join(directory, 'artifacts', folder), { recursive: true })
  for (const [path, content] of files) await writeFile(join(directory, 'artifacts', path), content)
}
