import { createHash } from 'node:crypto'
import type { MergeStrategy } from '@nirs-workspace/types'
import * as z from 'zod'
import { buildCatalog } from '../catalog/build-catalog.ts'
import type { CatalogFile, CatalogOptions } from '../catalog/catalog-file.ts'
import { catalogDefinition } from '../catalog/catalog-schema.ts'
import { indexTable } from '../catalog/copy-metadata.ts'
import { findCatalog } from '../catalog/find-catalog.ts'
import { readCatalogMeta } from '../catalog/read-info.ts'
import { attachReadOnly } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { chooseLineage } from './choose-lineage.ts'
import { compareArrays } from './compare-arrays.ts'
import { findLeftBehind } from './left-behind.ts'
import { learnTarget, mapLineage } from './map-lineage.ts'
import { decideConflicts, fillArrays, learnPredictions, matchPredictions, partIds, settleFates } from './match-predictions.ts'
import { learnSlots, placePredictions } from './place-predictions.ts'
import { refuseUnreadableSource } from './refuse-unreadable-source.ts'
import { rewriteLineage } from './rewrite-lineage.ts'
import { makeSourceViews, ofSource } from './source-views.ts'
import { findOddModels } from './stage-models.ts'

export interface MergeRequest extends CatalogOptions {
  readonly onConflict: MergeStrategy
  /** Null: all. */
  readonly datasets: readonly string[] | null
  readonly signal?: AbortSignal | undefined
}

export interface MergeSource {
  readonly index: number
  readonly resolved: ResolvedWorkspace
  readonly fingerprint: string
}

/** A merge worked out in an engine of its own; nothing of any workspace is open, nothing is written. */
export interface OpenMerge {
  readonly engine: Engine
  readonly request: MergeRequest
  /** Null while the target does not exist. */
  readonly target: { readonly resolved: ResolvedWorkspace; readonly fingerprint: string } | null
  readonly sources: readonly MergeSource[]
  /** What of the sources cannot come along, as sentences. */
  readonly losses: readonly string[]
  /** The same for the same state of all workspaces and the same request. */
  readonly digest: string
}

/**
 * Works out a merge in the tables that `mapLineage` and `matchPredictions` describe, source by source in the order given. All workspaces are
 * read through their catalogs, and the arrays of what two of them have. Throws `validation`, `dataset_not_found`, `arrays_corrupt`, and what
 * `resolveWorkspace` and `buildCatalog` throw.
 */
export const withMerge = async <T>(
  target: ResolvedWorkspace | null,
  sourcePaths: readonly string[],
  request: MergeRequest,
  work: (merge: OpenMerge) => Promise<T>,
): Promise<T> => {
  const resolved = await resolveSources(target, sourcePaths)
  const catalogs: CatalogFile[] = []
  for (const source of resolved) catalogs.push(await catalogOf(source, request))
  const ofTarget = target === null ? null : await catalogOf(target, request)
  return withEngine({ memoryLimit: '1GB' }, async (engine) => {
    if (ofTarget === null) await attachNothing(engine)
    else await attachReadOnly(engine, ofTarget.path, 'target_catalog')
    for (const [index, { path }] of catalogs.entries()) await attachReadOnly(engine, path, `source_${index}`)
    const sources = resolved.map((source, index) => ({ index, resolved: source, fingerprint: catalogs[index]?.fingerprint ?? '' }))
    await workOutMerge(engine, sources, request, target)
    const digest = digestOfState([ofTarget?.fingerprint ?? '', ...catalogs.map(({ fingerprint }) => fingerprint)], request)
    const losses = [...(await findLeftBehind({ engine, sources })), ...(await findOddModels({ engine, sources, request }))]
    return await work({
      engine,
      request,
      sources,
      losses,
      digest,
      target: target === null || ofTarget === null ? null : { resolved: target, fingerprint: ofTarget.fingerprint },
    })
  })
}

/**
 * As `withMerge` says, in an engine that has the catalogs attached as `target_catalog` and `source_<i>`. What comes is decided over all sources
 * before any lineage: the runs and chains of what gives way to a later source do not come either.
 */
export const workOutMerge = async (
  engine: Engine,
  sources: readonly MergeSource[],
  { onConflict, datasets, signal }: MergeRequest,
  target: ResolvedWorkspace | null = null,
): Promise<void> => {
  await requireDatasets(engine, sources, datasets)
  await learnTarget(engine)
  await learnPredictions(engine, ['target_catalog', ...sources.map(({ index }) => `source_${index}`)])
  for (const source of sources) {
    const { index, resolved } = source
    signal?.throwIfAborted()
    await makeSourceViews(engine, index, datasets)
    await matchPredictions(engine, index, resolved.kind === 'portable')
    await preferTable(engine, index, resolved)
    await compareArrays(engine, source, { target, sources, signal })
    await partIds(engine, index)
    await fillArrays(engine, index)
    await decideConflicts(engine, index, onConflict)
  }
  const indexes = sources.map(({ index }) => index)
  await settleFates(engine, indexes)
  for (const source of sources) await refuseUnreadableSource(engine, source)
  await learnSlots(engine)
  for (const index of indexes) {
    signal?.throwIfAborted()
    await mapLineage(engine, index)
    await placePredictions(engine, index)
    await chooseLineage(engine, index, datasets)
  }
  await rewriteLineage(engine, indexes)
}

const resolveSources = async (target: ResolvedWorkspace | null, paths: readonly string[]): Promise<ResolvedWorkspace[]> => {
  if (paths.length === 0)
    throw new StorageError('validation', 'There is nothing to merge. Nothing was changed.', { hint: 'Name at least one source.' })
  const resolved: ResolvedWorkspace[] = []
  for (const path of paths) resolved.push(await resolveWorkspace(path))
  const places = resolved.map((source) => source.parquet ?? source.root)
  const twice = places.find((place, index) => place === target?.root || places.indexOf(place) !== index)
  if (twice === undefined) return resolved
  throw new StorageError('validation', `${twice} is named twice, or is the target itself. Nothing was changed.`, {
    path: twice,
    hint: 'Name every source once, and none that is the target.',
  })
}

const catalogOf = async (resolved: ResolvedWorkspace, options: CatalogOptions): Promise<CatalogFile> => {
  const { fresh } = await findCatalog(resolved, options)
  return fresh ?? (await buildCatalog(resolved, options))
}

const attachNothing = async (engine: Engine): Promise<void> => {
  await engine.run("ATTACH ':memory:' AS target_catalog")
  for (const statement of catalogDefinition('target_catalog')) await engine.run(statement)
}

const requireDatasets = async (engine: Engine, sources: readonly MergeSource[], datasets: readonly string[] | null): Promise<void> => {
  if (datasets === null) return
  const sql = sources.map(({ index }) => `SELECT dataset_name FROM source_${index}.main.predictions`).join(' UNION ')
  const known = new Set((await engine.rows(z.object({ dataset_name: z.string() }), sql)).map((row) => row.dataset_name))
  const unknown = datasets.find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new StorageError('dataset_not_found', `No source has a dataset named ${JSON.stringify(unknown)}. Nothing was changed.`, {
    hint: 'List the datasets of the sources.',
  })
}

/** While a migration is half done the table of the store is what counts, not what has been copied so far. */
const preferTable = async (engine: Engine, source: number, resolved: ResolvedWorkspace): Promise<void> => {
  if (resolved.duckdb === null || resolved.sqlite !== null) return
  const { storage_status } = await readCatalogMeta(engine, `source_${source}`)
  if (storage_status.storage_mode !== 'mid_migration') return
  await withAttachedStore(engine, resolved.duckdb, 'store', (store) => indexTable(engine, store))
  await engine.run(`UPDATE ${ofSource(source, 'matched')} SET array_source = 'table' WHERE id IN (SELECT prediction_id FROM table_ids)`)
}

const digestOfState = (fingerprints: readonly string[], { onConflict, datasets }: MergeRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([fingerprints, onConflict, datasets]))
    .digest('hex')
    .slice(0, 32)
