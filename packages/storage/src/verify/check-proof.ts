import { join } from 'node:path'
import type { Finding, MigrationProof } from '@nirs-workspace/types'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { hashFile, markWithoutHash } from '../files/hash-file.ts'
import { hashAttachedFile } from '../files/hash-file-child.ts'
import { exists } from '../files/move-file.ts'
import { arrayFileColumnNames } from '../migration/array-columns.ts'
import { findProof } from '../migration/proof-file.ts'
import { readSourceTables, sourceAlias, sourceTable } from '../migration/source-tables.ts'
import { tableDigest } from '../migration/table-digest.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { withAttachedStore } from '../workspace/open-store.ts'

/**
 * Whether what the last migration proved still holds: its array files, the metadata and the kept original. Quick looks at sizes, deep at
 * every byte; a file or store with other bytes still holds when its content has the same digest. Null without a proof.
 */
export const checkProof = async (
  engine: Engine,
  layout: Layout,
  depth: 'quick' | 'deep',
): Promise<{ holds: boolean; findings: Finding[] } | null> => {
  const found = await findProof(layout)
  if (found === null) return null
  const { proof } = found
  const changed = [...(await changedDatasets(engine, layout, proof, depth)), ...(await changedTables(engine, layout, proof, depth))]
  const backup = await damagedBackup(layout, proof, depth)
  const findings: Finding[] = []
  if (changed.length > 0) {
    const detail = `Changed since the migration of ${proof.created_at}: ${changed.slice(0, 10).join(', ')}.`
    findings.push({ code: 'changed_since_migration', severity: 'info', count: changed.length, detail })
  }
  if (backup !== null) {
    const detail = `${backup}, the kept original, is no longer what it was: rolling back is not possible with it.`
    findings.push({ code: 'backup_damaged', severity: 'error', count: 1, detail })
  }
  return { holds: findings.length === 0, findings }
}

interface Recorded {
  readonly bytes: number
  readonly sha256: string
}

const isAsRecorded = async (
  path: string,
  file: Recorded,
  depth: 'quick' | 'deep',
  hash: (path: string) => Promise<string>,
): Promise<boolean> => {
  if (!(await exists(path)) || (await markWithoutHash(path)).bytes !== file.bytes) return false
  return depth === 'quick' || (await hash(path)) === file.sha256
}

const changedDatasets = async (engine: Engine, layout: Layout, proof: MigrationProof, depth: 'quick' | 'deep'): Promise<string[]> => {
  const changed: string[] = []
  for (const file of proof.files) {
    const path = join(layout.root, file.path)
    if (await isAsRecorded(path, file, depth, hashFile)) continue
    const datasets = proof.datasets.filter((dataset) => `arrays/${dataset.file}` === file.path)
    const digests = depth === 'deep' && (await exists(path)) ? await digestsOf(engine, path) : new Map<string, string>()
    const isSame = datasets.length > 0 && datasets.every((dataset) => digests.get(dataset.name) === dataset.source_sha256)
    if (!isSame) changed.push(file.path)
  }
  return changed
}

const digestsOf = async (engine: Engine, path: string): Promise<Map<string, string>> => {
  const digest = new ArraysDigest()
  const columns = arrayFileColumnNames.map(quotedIdentifier).join(', ')
  try {
    const sql = `SELECT ${columns} FROM read_parquet(${quotedString(escapeGlob(path))}, hive_partitioning = false)`
    for await (const block of readBlocks(engine, sql)) digest.add(block)
  } catch (error) {
    // A damaged file is a finding of its own; here it is one that has changed.
    if (error instanceof Error) return new Map()
    throw error
  }
  return new Map([...digest.results()].map(([name, { sha256 }]) => [name, sha256]))
}

const changedTables = async (engine: Engine, layout: Layout, proof: MigrationProof, depth: 'quick' | 'deep'): Promise<string[]> => {
  if (!(await exists(layout.store))) return ['store.duckdb']
  if (await isAsRecorded(layout.store, proof.store, depth, hashAttachedFile)) return []
  if (depth === 'quick') return ['store.duckdb']
  return withAttachedStore(engine, layout.store, sourceAlias, async () => {
    const tables = await readSourceTables(engine, sourceAlias)
    const changed: string[] = []
    for (const [name, recorded] of Object.entries(proof.store.tables)) {
      const columns = tables.get(name)?.map((column) => column.name) ?? []
      const digest = columns.length === 0 ? null : await tableDigest(engine, sourceTable(name), columns.sort())
      if (digest?.sha256 !== recorded.sha256) changed.push(`table ${name}`)
    }
    return changed
  })
}

/** The kept original, if it is there but damaged. */
const damagedBackup = async (layout: Layout, proof: MigrationProof, depth: 'quick' | 'deep'): Promise<string | null> => {
  for (const file of [proof.original, ...(proof.original.wal === null ? [] : [proof.original.wal])]) {
    const path = join(layout.root, file.path)
    if ((await exists(path)) && !(await isAsRecorded(path, file, depth, hashAttachedFile))) return file.path
  }
  return null
}
