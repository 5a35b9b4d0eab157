import { lstat } from 'node:fs/promises'
import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { artifactFile } from '../artifacts/artifact-path.ts'
import { artifactIdsOf } from '../bundles/chain-references.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError, systemCode } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import { sourceAlias, sourceTable } from '../migration/source-tables.ts'
import { withSqlite } from '../sqlite/with-sqlite.ts'
import { counted } from '../workspace/counted-text.ts'
import { findMissingModels, some } from '../workspace/find-missing-models.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import type { Depth } from './check-metadata.ts'

const text = z.string().nullable()
const Model = z.object({ artifact_id: z.string(), artifact_path: z.string(), content_hash: z.string(), size_bytes: text })
const Chain = z.object({ chain_id: z.string(), steps: text, fold_artifacts: text, shared_artifacts: text })
type Model = z.infer<typeof Model>

const namedIds = 100

/**
 * The models that chains name, whether the store has a row of each; and the model files that rows of the store name: whether they are there with their size and, when deep, with the content that was saved.
 * One that is not there is no damage in itself: releases from 0.8.1 on note models that they never write.
 */
export const checkModels = async (engine: Engine, resolved: ResolvedWorkspace, options: Depth): Promise<Finding[]> => {
  const models = await readTable(engine, resolved, 'artifacts', Model)
  const states = new Map<string, State>()
  for (const model of models) {
    options.signal?.throwIfAborted()
    const key = stateKey(model)
    if (!states.has(key)) states.set(key, await stateOf(resolved.root, model, options))
  }
  const inState = (state: State) => models.filter((model) => states.get(stateKey(model)) === state)
  const chains = await readTable(engine, resolved, 'chains', Chain)
  const unknown = findMissingModels(chains, new Set(models.map(({ artifact_id }) => artifact_id)))
  const [damaged, missing] = [inState('damaged'), inState('missing')]
  if (damaged.length + missing.length === 0) return unknown
  const needed = neededBy(chains, new Set([...damaged, ...missing].map((model) => model.artifact_id)))
  return [...findingOf('damaged', damaged, needed), ...unknown, ...findingOf('missing', missing, needed)]
}

type State = 'sound' | 'damaged' | 'missing'

const stateKey = ({ artifact_path, content_hash, size_bytes }: Model): string => JSON.stringify([artifact_path, content_hash, size_bytes])

const stateOf = async (root: string, model: Model, { depth, signal }: Depth): Promise<State> => {
  try {
    const file = artifactFile(root, model.artifact_path)
    const status = await lstat(file)
    if (!status.isFile() || (model.size_bytes !== null && status.size !== Number(model.size_bytes))) return 'damaged'
    // The library writes the hash with and without its name.
    const saved = model.content_hash.replace(/^sha256:/, '').toLowerCase()
    return depth === 'quick' || !/^[0-9a-f]{64}$/.test(saved) || (await hashFile(file, { signal })) === saved ? 'sound' : 'damaged'
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return 'missing'
    if (isStorageError(error, 'path_not_allowed') || ['EIO', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return 'damaged'
    throw error
  }
}

/** By artifact, the chains that need it. */
const neededBy = (chains: readonly z.output<typeof Chain>[], ids: ReadonlySet<string>): ReadonlyMap<string, string[]> => {
  const needed = new Map<string, string[]>()
  for (const chain of chains) {
    for (const id of artifactIdsOf(chain)) if (ids.has(id)) needed.set(id, [...(needed.get(id) ?? []), chain.chain_id])
  }
  return needed
}

const findingOf = (state: 'damaged' | 'missing', models: readonly Model[], needed: ReadonlyMap<string, string[]>): Finding[] => {
  const paths = [...new Set(models.map(({ artifact_path }) => `artifacts/${artifact_path}`))].sort()
  const ids = [...new Set(models.map(({ artifact_id }) => artifact_id))].sort()
  const chains = [...new Set(ids.flatMap((id) => needed.get(id) ?? []))].sort()
  if (paths.length === 0) return []
  const needing =
    chains.length === 0 ? 'No chain needs them.' : `${counted(chains.length, 'chain needs', 'chains need')} them: ${some(chains)}.`
  const [code, severity, what] =
    state === 'damaged'
      ? (['artifact_corrupt', 'error', `${counted(paths.length, 'model file is', 'model files are')} not what was saved`] as const)
      : (['missing_artifact_files', 'info', `${counted(paths.length, 'model file is', 'model files are')} not there`] as const)
  return [{ code, severity, count: paths.length, detail: `${what}: ${some(paths)}. ${needing}`, ids: ids.slice(0, namedIds) }]
}

/** Rows of a table of the store as texts; none where it has no such table. */
const readTable = async <T extends z.ZodObject>(
  engine: Engine,
  { duckdb, sqlite }: ResolvedWorkspace,
  table: string,
  row: T,
): Promise<z.output<T>[]> => {
  const columns = Object.keys(row.shape)
  if (sqlite !== null) {
    return withSqlite(sqlite, (database) => {
      const [found] = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").all(table)
      if (found === undefined) return []
      const list = columns.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(', ')
      return z.array(row).parse(database.prepare(`SELECT ${list} FROM ${table}`).all())
    })
  }
  if (duckdb === null) return []
  return withAttachedStore(engine, duckdb, sourceAlias, async () => {
    const known = (await attachedTables(engine, sourceAlias)).get(table)?.map(({ name }) => name)
    if (known === undefined) return []
    const list = columns.map((name) => `${known.includes(name) ? name : 'NULL'}::VARCHAR AS ${name}`).join(', ')
    return engine.rows(row, `SELECT ${list} FROM ${sourceTable(table)}`)
  })
}
