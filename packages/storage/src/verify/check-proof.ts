import { join } from 'node:path'
import type { Finding, MigratedDataset, MigrationProof } from '@nirs-workspace/types'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { StorageError } from '../errors.ts'
import { hashAttachedFile } from '../files/hash-attached-file.ts'
import { hashFile, markWithoutHash } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import { arrayFileColumnNames } from '../migration/array-columns.ts'
import { surveyProofs } from '../migration/proof-file.ts'
import { sourceAlias, sourceTable } from '../migration/source-tables.ts'
import { tableDigest } from '../migration/table-digest.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { withAttachedStore } from '../workspace/open-store.ts'

export interface ProofCheck {
  readonly depth: 'quick' | 'deep'
  /** Whether the store could be read to its end; of one that could not, nothing holds. */
  readonly isStoreSound: boolean
  /** The proof is what is asked about: without one it throws `proof_not_found`, and whatever changed since is an error. */
  readonly requireProof?: boolean | undefined
}

/**
 * Whether what the last migration proved still holds: its array files, the metadata and the kept original. Quick looks at sizes, deep at
 * every byte; a file or store with other bytes still holds when its content has the same digest. Null without a proof.
 */
export const checkProof = async (
  engine: Engine,
  layout: Layout,
  check: ProofCheck,
): Promise<{ holds: boolean; findings: Finding[] } | null> => {
  const { last, problems } = await surveyProofs(layout)
  const damage = problems.map(({ detail }): Finding => ({ code: 'proof_damaged', severity: 'error', count: 1, detail }))
  if (last === null) {
    if (damage.length === 0 && check.requireProof === true) throw noProofToCheck()
    return damage.length === 0 ? null : { holds: false, findings: damage }
  }
  const { proof } = last
  const files = await changedFiles(engine, layout, proof, check.depth)
  const tables = await changedTables(engine, layout, proof, check)
  const backup = await damagedBackup(layout, proof, check.depth)
  const findings = [...damage, ...changeFindings(proof, [...files, ...tables], check)]
  if (backup !== null) {
    const detail = `${backup}, the kept original, is no longer what it was: rolling back is not possible with it.`
    findings.push({ code: 'backup_damaged', severity: 'error', count: 1, detail })
  }
  return { holds: findings.length === 0, findings }
}

const noProofToCheck = () =>
  new StorageError(
    'proof_not_found',
    'This workspace has no migration proof: it was not migrated by NIRS Workspace. Nothing was changed.',
    {
      hint: '`verify --deep` checks everything else.',
    },
  )

interface Change {
  readonly what: string
  /** Arrays that the migration has proved are no longer the same, as opposed to what the use of a workspace changes. */
  readonly isOfArrays: boolean
}

const changeFindings = (proof: MigrationProof, changes: readonly Change[], { requireProof = false }: ProofCheck): Finding[] => {
  const findings: Finding[] = []
  const [arrays, others] = [changes.filter(({ isOfArrays }) => isOfArrays), changes.filter(({ isOfArrays }) => !isOfArrays)]
  const named = (list: readonly Change[]) =>
    list
      .slice(0, 10)
      .map(({ what }) => what)
      .join(', ')
  if (arrays.length > 0) {
    const detail = `Arrays are no longer those that the migration of ${proof.created_at} has proved: ${named(arrays)}. The kept original has them.`
    findings.push({ code: 'arrays_changed', severity: requireProof ? 'error' : 'warning', count: arrays.length, detail })
  }
  if (others.length > 0) {
    const detail = `Changed since the migration of ${proof.created_at}: ${named(others)}.`
    findings.push({ code: 'changed_since_migration', severity: requireProof ? 'error' : 'info', count: others.length, detail })
  }
  return findings
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

const changedFiles = async (engine: Engine, layout: Layout, proof: MigrationProof, depth: 'quick' | 'deep'): Promise<Change[]> => {
  const changed: Change[] = []
  for (const file of proof.files) {
    const path = join(layout.root, file.path)
    if (await isAsRecorded(path, file, depth, hashFile)) continue
    const datasets = proof.datasets.filter((dataset) => `arrays/${dataset.file}` === file.path)
    const content = depth === 'deep' && (await exists(path)) ? await compareContent(engine, path, datasets) : 'unknown'
    if (content !== 'same') changed.push({ what: file.path, isOfArrays: content === 'other' })
  }
  return changed
}

/**
 * Whether a file has the arrays that were proved. `used`: rows were added behind them, or taken away; `other`: rows that were there
 * have other values. A file that cannot be read is `unknown`: that is a finding of its own.
 */
const compareContent = async (
  engine: Engine,
  path: string,
  datasets: readonly MigratedDataset[],
): Promise<'same' | 'used' | 'other' | 'unknown'> => {
  const proved = datasets.reduce((rows, dataset) => rows + dataset.rows, 0)
  const isSame = (digests: ReadonlyMap<string, { sha256: string }>) =>
    datasets.length > 0 && datasets.every(({ name, source_sha256 }) => digests.get(name)?.sha256 === source_sha256)
  const all = await digestsOf(engine, path)
  if (all === null) return 'unknown'
  if (isSame(all)) return 'same'
  const rows = [...all.values()].reduce((total, dataset) => total + dataset.rows, 0)
  if (rows < proved) return 'used'
  const first = rows === proved ? null : await digestsOf(engine, path, proved)
  return first !== null && isSame(first) ? 'used' : 'other'
}

/** Digest and rows of every dataset in a file, or in its first rows; null when it cannot be read. */
const digestsOf = async (engine: Engine, path: string, firstRows?: number) => {
  const digest = new ArraysDigest()
  const columns = arrayFileColumnNames.map(quotedIdentifier).join(', ')
  const where = firstRows === undefined ? '' : ` WHERE file_row_number < ${firstRows}`
  try {
    const sql = `SELECT ${columns} FROM read_parquet(${quotedString(escapeGlob(path))}, hive_partitioning = false, file_row_number = true)${where}`
    for await (const block of readBlocks(engine, sql)) digest.add(block)
  } catch (error) {
    // A damaged file is a finding of its own; here it is one that has changed.
    if (error instanceof Error) return null
    throw error
  }
  return digest.results()
}

const changedTables = async (engine: Engine, layout: Layout, proof: MigrationProof, check: ProofCheck): Promise<Change[]> => {
  const change = (what: string): Change => ({ what, isOfArrays: false })
  if (!check.isStoreSound || !(await exists(layout.store))) return [change('store.duckdb')]
  if (await isAsRecorded(layout.store, proof.store, check.depth, hashAttachedFile)) return []
  if (check.depth === 'quick') return [change('store.duckdb')]
  return withAttachedStore(engine, layout.store, sourceAlias, async () => {
    const tables = await attachedTables(engine, sourceAlias)
    const changed: Change[] = []
    for (const [name, recorded] of Object.entries(proof.store.tables)) {
      const columns = tables.get(name)?.map((column) => column.name) ?? []
      const digest = columns.length === 0 ? null : await tableDigest(engine, sourceTable(name), columns.sort())
      if (digest?.sha256 !== recorded.sha256) changed.push(change(`table ${name}`))
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
