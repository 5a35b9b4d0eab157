import { readdir, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { ArtifactGcReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { artifactIdsOf } from '../bundles/chain-references.ts'
import { StorageError, systemCode } from '../errors.ts'
import { parseLenient } from '../json/parse-lenient.ts'
import { createdBefore } from './created-before.ts'
import { type OpenWorkspace, type RequestOf, storeAlias } from './maintenance-workspace.ts'
import type { Outcome } from './plan-removal.ts'
import { type ArtifactFileToGo, nothingSelected } from './selection.ts'

const Chain = z.object({
  chain_id: z.string(),
  steps: z.string().nullable(),
  fold_artifacts: z.string().nullable(),
  shared_artifacts: z.string().nullable(),
})
const Artifact = z.object({ id: z.string(), path: z.string(), old: z.boolean() })

interface FoundFile extends ArtifactFileToGo {
  readonly old: boolean
}

/**
 * Models that no chain names, counted from what the chains say and never from `ref_count`, which the library gets wrong. A file goes when
 * no row that stays names it. Throws when a chain cannot be read, since it might name any of them.
 */
export const planArtifactGc = async (open: OpenWorkspace, request: RequestOf<'artifact_gc'>): Promise<Outcome<ArtifactGcReport>> => {
  const referenced = await referencedIds(open)
  const rows = await open.engine.rows(
    Artifact,
    `SELECT artifact_id AS id, artifact_path AS path, ${createdBefore(open, 'artifacts', request.grace_hours)} AS old
     FROM ${storeAlias}.main.artifacts ORDER BY 1`,
  )
  const files = await modelFiles(open, request.grace_hours)
  const gone = rows.filter((row) => !referenced.has(row.id) && row.old && files.get(row.path)?.old !== false)
  const goneIds = new Set(gone.map(({ id }) => id))
  const young = rows.filter((row) => !referenced.has(row.id) && !goneIds.has(row.id)).length
  const named = new Set(rows.map(({ path }) => path))
  const stillNamed = new Set(rows.filter(({ id }) => !goneIds.has(id)).map(({ path }) => path))
  const unregistered = [...files.values()].filter((file) => !named.has(file.path))
  const unnamed = [...files.values()].filter((file) => named.has(file.path) && !stillNamed.has(file.path))
  const extra = request.include_unregistered ? unregistered.filter((file) => file.old) : []
  const going = [...unnamed, ...extra].map(({ path, bytes }) => ({ path, bytes })).sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    selection: { ...nothingSelected, tables: [{ table: 'artifacts', keys: gone.map(({ id }) => id) }], files: going },
    report: {
      rows_removed: gone.length,
      files_removed: going.length,
      bytes_freed: sumOf(going),
      too_young: young,
      unregistered_files: unregistered.length,
      unregistered_bytes: sumOf(unregistered),
    },
    warnings: [],
  }
}

const sumOf = (files: readonly ArtifactFileToGo[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0)

const referencedIds = async ({ engine }: OpenWorkspace): Promise<Set<string>> => {
  const chains = await engine.rows(
    Chain,
    `SELECT chain_id, steps::VARCHAR AS steps, fold_artifacts::VARCHAR AS fold_artifacts, shared_artifacts::VARCHAR AS shared_artifacts
     FROM ${storeAlias}.main.chains`,
  )
  const ids = new Set<string>()
  for (const chain of chains) {
    for (const text of [chain.steps, chain.fold_artifacts, chain.shared_artifacts]) refuseUnreadable(chain.chain_id, text)
    for (const id of artifactIdsOf(chain)) ids.add(id)
  }
  return ids
}

const refuseUnreadable = (chain: string, text: string | null): void => {
  if (text === null || text === '') return
  try {
    parseLenient(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new StorageError(
      'store_unreadable',
      `Which models chain ${chain.slice(0, 100)} needs cannot be read. Nothing was removed.`,
      { hint: 'Remove that chain first, or restore the store from a backup.' },
      error,
    )
  }
}

/** Regular files below artifacts/ by their path; links and whatever else lies there are nobody's models. */
const modelFiles = async (open: OpenWorkspace, graceHours: number): Promise<Map<string, FoundFile>> => {
  const folder = join(open.resolved.root, 'artifacts')
  const limit = open.now.getTime() - graceHours * 3_600_000
  const found = new Map<string, FoundFile>()
  for (const entry of await entriesOf(folder)) {
    if (!entry.isFile()) continue
    const absolute = join(entry.parentPath, entry.name)
    const path = absolute
      .slice(folder.length + 1)
      .split(sep)
      .join('/')
    // No release writes such a name, and on another system it would be two.
    if (path.includes('\\')) continue
    const { size, mtimeMs } = await stat(absolute)
    found.set(path, { path, bytes: size, old: mtimeMs <= limit })
  }
  return found
}

const entriesOf = async (folder: string) => {
  try {
    return await readdir(folder, { recursive: true, withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}
