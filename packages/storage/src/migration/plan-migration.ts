import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { MigrationPlan, MigrationWarning } from '@nirs-workspace/types'
import * as z from 'zod'
import { misfitSql } from '../arrays/fits-samples.ts'
import { interruptible } from '../engine/engine-lane.ts'
import { withEnoughMemory } from '../engine/enough-memory.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError, StorageError, systemCode } from '../errors.ts'
import { hasArraysFolder, listArrayFiles } from '../workspace/array-files.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { listColumns } from './array-columns.ts'
import { type ArraySizes, estimateSeconds, measureArrays, measureSample, measureSpace } from './measure-arrays.ts'
import { asUnfit } from './migration-error.ts'
import { findReadOnly, refuseLinkedStore, refuseLinks } from './refuse-layout.ts'
import { planIdOf } from './refuse-stale-plan.ts'
import { hasColumn, type SourceTables, sourceAlias, sourceTable } from './source-tables.ts'
import { arraysTable } from './store-schema.ts'
import { type Survey, surveyStore, warning } from './survey-store.ts'
import { valueWarnings } from './value-warnings.ts'
import { layoutOf } from './workspace-layout.ts'

/**
 * What a migration would do: the dry run. Reads only, also on a read-only disk. Throws `not_migratable` when there is nothing to move,
 * `store_locked`, `store_unreadable`, `arrays_corrupt`, ….
 */
export const planMigration = async (path: string, options: { signal?: AbortSignal | undefined } = {}): Promise<MigrationPlan> => {
  const workspace = await resolveMigratable(path)
  await refuseLinks(layoutOf(workspace.root))
  await refuseLinkedStore(layoutOf(workspace.root))
  try {
    return await planUnder(workspace, options.signal)
  } catch (error) {
    throw isStorageError(error) ? error : (asUnfit(error, 'Nothing was changed.') ?? error)
  }
}

const planUnder = (workspace: DuckdbWorkspace, signal: AbortSignal | undefined): Promise<MigrationPlan> =>
  withEngine({}, (engine) =>
    interruptible(engine, signal, () =>
      withAttachedStore(engine, workspace.duckdb, sourceAlias, () => withEnoughMemory(engine, () => planAttached(engine, workspace))),
    ),
  )

/** A workspace whose metadata is in store.duckdb. */
export type DuckdbWorkspace = ResolvedWorkspace & { readonly duckdb: string }

export const resolveMigratable = async (path: string): Promise<DuckdbWorkspace> => {
  const workspace = await resolveWorkspace(path)
  if (workspace.duckdb !== null && workspace.sqlite === null) return { ...workspace, duckdb: workspace.duckdb }
  throw new StorageError('not_migratable', 'This is not a workspace with store.duckdb as its store: there is nothing to do.', {
    hint:
      workspace.sqlite === null
        ? 'Open the workspace as it is.'
        : 'A later nirs4all release has moved its metadata to store.sqlite already.',
  })
}

const planAttached = async (engine: Engine, workspace: DuckdbWorkspace): Promise<MigrationPlan> => {
  const survey = await surveyStore(engine, workspace)
  try {
    const sizes = await measureArrays(engine, survey.tables, survey.tableRows, 'all')
    const sample = await measureSample(engine, survey.tables, sizes, survey.tableRows)
    const { bytes: storeBytes, walBytes } = await storeSizes(workspace)
    const space = await measureSpace(workspace.root, sizes, sample, await measureOthers(workspace, survey, sizes))
    const there = await rowsThere(engine)
    const datasets = survey.datasets.map(({ name, rows, file }) => {
      const { values = 0, bytes = 0 } = sizes.datasets.get(name) ?? {}
      return {
        name,
        rows,
        values,
        bytes_now: sizes.bytes === 0 ? 0 : Math.round((sizes.tableBytes * bytes) / sizes.bytes),
        bytes_estimated: space.datasets.get(name) ?? 0,
        file,
        shares_file_with: survey.datasets.filter((other) => other.file === file && other.name !== name).map((other) => other.name),
        rows_already_there: there.get(name) ?? 0,
      }
    })
    const content = {
      storage_mode: (await hasArraysFolder(workspace)) ? 'mid_migration' : 'legacy',
      total_rows: survey.tableRows,
      total_values: sizes.values,
      quarantine_rows: survey.orphanRows + survey.existing.quarantined,
      duckdb_size_before: storeBytes + walBytes,
      warnings: [
        ...survey.warnings,
        ...logWarning(walBytes, survey, 'they are in store.duckdb.wal and come along'),
        ...(await findOddities(engine, survey.tables)),
        ...spaceWarning(space),
        ...(await readOnlyWarning(workspace)),
      ],
    }
    const fingerprint = await fingerprintWorkspace(workspace)
    const facts = { ...content, datasets: datasets.map(({ name, rows, values, file }) => ({ name, rows, values, file })) }
    const digest = createHash('sha256').update(fingerprint).update(JSON.stringify(facts)).digest('hex')
    return {
      plan_id: planIdOf(fingerprint, digest),
      digest,
      dry_run: true,
      ...content,
      datasets,
      duckdb_size_estimated: space.store,
      parquet_bytes_estimated: space.parquet,
      free_bytes_needed: space.needed,
      free_bytes_available: space.available,
      estimated_duration_seconds: estimateSeconds(sizes.bytes, storeBytes, sample.bytesPerSecond),
    }
  } finally {
    await survey.close()
  }
}

/** Of the store and of the log beside it, which belongs to it. */
export const storeSizes = async (workspace: DuckdbWorkspace): Promise<{ bytes: number; walBytes: number }> => ({
  bytes: (await stat(workspace.duckdb)).size,
  walBytes: await sizeOrZero(layoutOf(workspace.root).wal),
})

/**
 * At most so many bytes come from array files that are written anew beside themselves, of which rows may go to the quarantine file, from rows
 * without metadata and from the log.
 */
export const measureOthers = async (workspace: DuckdbWorkspace, survey: Survey, sizes: ArraySizes): Promise<number> => {
  const { datasets, existing, orphanRows, tableRows } = survey
  const anew = new Set([...datasets.map(({ file }) => file), ...existing.files.filter(({ touched }) => touched).map(({ name }) => name)])
  const files = (await listArrayFiles(workspace)).filter(({ path }) => anew.has(basename(path)))
  const fileBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const { walBytes } = await storeSizes(workspace)
  const orphanBytes = tableRows === 0 ? 0 : (sizes.tableBytes * orphanRows) / tableRows
  return fileBytes * (existing.quarantined > 0 ? 2 : 1) + orphanBytes + walBytes
}

const sizeOrZero = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}

const rowsThere = async (engine: Engine): Promise<Map<string, number>> => {
  const rows = await engine.rows(
    z.object({ name: z.string(), rows: z.number() }),
    `SELECT p.dataset_name AS name, count(DISTINCT t.prediction_id) AS rows FROM memory.main.there t
     JOIN ${sourceTable('predictions')} p ON p.prediction_id = t.prediction_id GROUP BY ALL`,
  )
  return new Map(rows.map(({ name, rows }) => [name, rows]))
}

/** `fate` says what becomes, or became, of the changes that only the log has. */
export const logWarning = (bytes: number, survey: Survey, fate: string): MigrationWarning[] => {
  const has = (wanted: MigrationWarning['code']) => survey.warnings.some(({ code }) => code === wanted)
  const rest = has('log_cut_short') ? ', except for the change in which the log ends' : ''
  const detail = `A training was stopped before its last changes reached the store; ${fate}${rest}.`
  return bytes === 0 || has('log_unreadable') ? [] : [warning('write_ahead_log', detail, [], 1)]
}

const spaceWarning = (space: { needed: number; available: number }): MigrationWarning[] => {
  const detail = `The migration needs ${space.needed} bytes of free disk space; ${space.available} are free.`
  return space.available >= space.needed ? [] : [warning('little_space', detail, [], 1)]
}

const readOnlyWarning = async ({ root }: DuckdbWorkspace): Promise<MigrationWarning[]> => {
  const found = await findReadOnly(layoutOf(root))
  return found === null ? [] : [warning('read_only', `${found.name} cannot be written to: the migration would be refused.`, [], 1)]
}

/** In one pass over the arrays, which are most of a store. */
const findOddities = async (engine: Engine, tables: SourceTables): Promise<MigrationWarning[]> => {
  const has = (column: string) => hasColumn(tables, arraysTable, column)
  const length = (column: string) => (has(column) ? `len(a.${column})` : 'NULL')
  const nulls = listColumns.filter(has).map((column) => `coalesce(len(a.${column}) <> list_count(a.${column}), false)`)
  const lengths = { y_true: length('y_true'), y_pred: length('y_pred'), sample_indices: length('sample_indices') }
  const samples = hasColumn(tables, 'predictions', 'n_samples') ? 'p.n_samples' : 'NULL'
  const rows = await engine.rows(
    z.object({ id: z.string(), with_nulls: z.boolean(), unequal: z.boolean(), misfit: z.boolean() }),
    `SELECT coalesce(a.prediction_id, '') AS id, ${nulls.join(' OR ') || 'false'} AS with_nulls,
       coalesce(${lengths.y_true} <> ${lengths.y_pred}, false) AS unequal, ${misfitSql(samples, lengths)} AS misfit
     FROM ${sourceTable(arraysTable)} a LEFT JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id
     WHERE with_nulls OR unequal OR misfit ORDER BY id`,
  )
  const idsOf = (isOdd: (row: (typeof rows)[number]) => boolean) => rows.filter(isOdd).map(({ id }) => id)
  return valueWarnings({
    withNulls: idsOf((row) => row.with_nulls),
    unequal: idsOf((row) => row.unequal),
    misfits: idsOf((row) => row.misfit),
  })
}
