import { MigrationWarning } from '@nirs-workspace/types'
import * as z from 'zod'
import { arrayFileName } from '../arrays/file-name.ts'
import { readTombstones } from '../arrays/tombstones.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { counted } from '../workspace/counted-text.ts'
import { findCutLog } from '../workspace/find-cut-log.ts'
import { describeMissing, MissingParent, missingParentsSql } from '../workspace/find-missing-parents.ts'
import { findUnreadableLog } from '../workspace/find-unreadable-log.ts'
import type { InspectionFinding } from '../workspace/finding.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { canCarry, type ExtraColumn, isArrayFileColumn, listColumns, losslessTypes } from './array-columns.ts'
import { type ExistingArrays, readExisting } from './existing-files.ts'
import { hasColumn, type SourceTables, sourceAlias, sourceTable } from './source-tables.ts'
import type { RowRange } from './staged-file.ts'
import { arraysTable, naturalKey } from './store-schema.ts'
import { type Marks, readMarks } from './unmark-migrated.ts'

export interface SurveyedDataset {
  readonly name: string
  readonly rows: number
  readonly file: string
  /** The part of the table in which all its rows lie, those of others between them. */
  readonly range: RowRange
  /** Its rows and no others, ascending; null where they lie too scattered for that to help. */
  readonly stretches: readonly RowRange[] | null
}

/** All that a migration needs to know before it writes anything. */
export interface Survey {
  readonly tables: SourceTables
  readonly datasets: readonly SurveyedDataset[]
  readonly existing: ExistingArrays
  /** Columns of the legacy table that no release writes; they travel along. */
  readonly tableExtras: readonly ExtraColumn[]
  /** A list of removed predictions that is damaged marks nothing. */
  readonly marks: Marks
  readonly tableRows: number
  readonly orphanRows: number
  /** Ids in the table or in files that no metadata knows. */
  readonly warnings: readonly MigrationWarning[]
  readonly close: () => Promise<void>
}

/** Reads a legacy or half-migrated store that is attached as `source`. Throws `not_migratable` when there is nothing to move. */
export const surveyStore = async (engine: Engine, workspace: ResolvedWorkspace): Promise<Survey> => {
  const tables = await attachedTables(engine, sourceAlias)
  if (!tables.has(arraysTable)) throw nothingToDo()
  const tableExtras = (tables.get(arraysTable) ?? []).filter(({ name }) => !isArrayFileColumn(name))
  refuseUnknown(tableExtras, 'the table prediction_arrays')
  refuseLossy(new Map((tables.get(arraysTable) ?? []).map(({ name, type }) => [name, type])), 'the table prediction_arrays')
  const counts = await engine.one(
    z.object({ rows: z.number(), ids: z.number(), predictions: z.number(), known: z.number() }),
    `SELECT (SELECT count(*) FROM ${sourceTable(arraysTable)}) AS rows, (SELECT count(DISTINCT prediction_id) FROM ${sourceTable(arraysTable)}) AS ids,
       (SELECT count(*) FROM ${sourceTable('predictions')}) AS predictions,
       (SELECT count(DISTINCT prediction_id) FROM ${sourceTable('predictions')}) AS known`,
  )
  if (counts.rows !== counts.ids || counts.predictions !== counts.known) throw ambiguous()
  await refuseMissingParents(engine, tables)
  const datasets = await readDatasets(engine)
  const tombstones = await readTombstonesOrWarn(workspace.arrays)
  const existing = await readExisting(engine, workspace, tables, tombstones.entries)
  try {
    for (const file of existing.files.filter(({ touched }) => touched)) {
      refuseUnknown(file.extras, `arrays/${file.name}`)
      refuseLossy(file.parquet.columns, `arrays/${file.name}`)
      refuseOtherCase(file.parquet.columns, `arrays/${file.name}`)
    }
    await refuseUnreadable(engine, existing, datasets)
    const orphans = await orphanIds(engine)
    const marks = await readMarks(engine, tombstones.entries)
    const warnings = [
      ...tombstones.warnings,
      ...(await storeWarnings(engine, tables)),
      ...(await logWarnings(workspace)),
      ...orphanWarning(orphans),
      ...nameWarnings(datasets),
      ...existingWarnings(existing),
    ]
    return {
      tables,
      datasets,
      existing,
      tableExtras,
      marks,
      tableRows: counts.rows,
      orphanRows: orphans.length,
      warnings,
      close: existing.close,
    }
  } catch (error) {
    await existing.close()
    throw error
  }
}

/** Beforehand: the new store declares its foreign keys, and would refuse these rows when the arrays have been written. */
const refuseMissingParents = async (engine: Engine, tables: SourceTables): Promise<void> => {
  const missing = await engine.rows(
    MissingParent,
    missingParentsSql((table, column) => hasColumn(tables, table, column), sourceTable),
  )
  if (missing.length === 0) return
  throw new StorageError(
    'store_unsafe',
    `${describeMissing(missing)}, which no nirs4all release leaves out and a migrated store cannot be without. Nothing was changed.`,
    {
      hint: 'Ask whoever wrote this workspace for one that nirs4all has written, or remove what is named and try again.',
      ids: missing.map(({ id }) => id),
    },
  )
}

const readDatasets = async (engine: Engine): Promise<SurveyedDataset[]> => {
  await engine.run(`CREATE OR REPLACE TABLE memory.main.stretches AS
    SELECT name, min(place) AS first, max(place) AS last, count(*) AS rows FROM (
      SELECT p.dataset_name AS name, a.rowid AS place, a.rowid - row_number() OVER (PARTITION BY p.dataset_name ORDER BY a.rowid) AS island
      FROM ${sourceTable(arraysTable)} a JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id)
    GROUP BY name, island`)
  const datasets = await engine.rows(
    z.object({ name: z.string(), rows: z.number(), stretches: z.number(), first: z.number(), last: z.number() }),
    `SELECT name, sum(rows)::BIGINT AS rows, count(*) AS stretches, min(first) AS first, max(last) AS last
     FROM memory.main.stretches GROUP BY name ORDER BY name`,
  )
  const long = new Set(datasets.filter(({ rows, stretches }) => stretches <= 16 + rows / shortestStretch).map(({ name }) => name))
  const stretches = Map.groupBy(
    await engine.rows(
      z.object({ name: z.string(), first: z.number(), last: z.number() }),
      `SELECT name, first, last FROM memory.main.stretches
       WHERE name IN (SELECT name FROM memory.main.stretches GROUP BY name HAVING count(*) <= 16 + sum(rows) / ${shortestStretch}) ORDER BY name, first`,
    ),
    ({ name }) => name,
  )
  return datasets.map(({ name, rows, first, last }) => ({
    name,
    rows,
    file: arrayFileName(name),
    range: { from: first, to: last },
    stretches: long.has(name) ? (stretches.get(name) ?? []).map((stretch) => ({ from: stretch.first, to: stretch.last })) : null,
  }))
}

/** Rows per stretch, on average, from which reading stretch by stretch is faster than a join over the whole part of the table. */
const shortestStretch = 256

const orphanIds = async (engine: Engine): Promise<string[]> => {
  const rows = await engine.rows(
    Id,
    `SELECT coalesce(prediction_id, '') AS id FROM ${sourceTable(arraysTable)} a
     WHERE prediction_id IS NULL OR NOT EXISTS (SELECT 1 FROM ${sourceTable('predictions')} p WHERE p.prediction_id = a.prediction_id) ORDER BY id`,
  )
  return rows.map(({ id }) => id)
}

const storeWarnings = async (engine: Engine, tables: SourceTables): Promise<MigrationWarning[]> => {
  const warnings: MigrationWarning[] = []
  const key = naturalKey.filter((column) => tables.get('predictions')?.some(({ name }) => name === column)).join(', ')
  const twins = await engine.rows(
    Id,
    `SELECT prediction_id AS id FROM ${sourceTable('predictions')} QUALIFY count(*) OVER (PARTITION BY ${key}) > 1 ORDER BY id`,
  )
  if (twins.length > 0) {
    const detail = `${twins.length} predictions share pipeline, chain, fold, partition, model and branch with another one. All are kept here; where the store then lacks the unique index, nirs4all 0.8 itself keeps only the newest of each when it opens the store.`
    warnings.push(warning('duplicate_natural_keys', detail, twins))
  }
  const bare = await engine.rows(
    Id,
    `SELECT prediction_id AS id FROM ${sourceTable('predictions')} p
     WHERE NOT EXISTS (SELECT 1 FROM ${sourceTable(arraysTable)} a WHERE a.prediction_id = p.prediction_id) ORDER BY id`,
  )
  if (bare.length > 0)
    warnings.push(
      warning('predictions_without_arrays', `${counted(bare.length, 'prediction has', 'predictions have')} no arrays in the table.`, bare),
    )
  const running = await engine.rows(Id, `SELECT run_id AS id FROM ${sourceTable('runs')} WHERE status = 'running' ORDER BY id`)
  if (running.length > 0) {
    warnings.push(
      warning(
        'running_run',
        `${counted(running.length, 'run is', 'runs are')} marked as running; a training that was stopped leaves ${running.length === 1 ? 'it' : 'them'} so.`,
        running,
      ),
    )
  }
  return warnings
}

const logWarnings = async (workspace: ResolvedWorkspace): Promise<MigrationWarning[]> => {
  const of = (code: MigrationWarning['code'], findings: readonly InspectionFinding[]) =>
    findings.map(({ detail, count }) => warning(code, `${detail} A migration keeps it beside the original.`, [], count))
  return [...of('log_unreadable', await findUnreadableLog(workspace)), ...of('log_cut_short', await findCutLog(workspace))]
}

const orphanWarning = (ids: readonly string[]): MigrationWarning[] =>
  ids.length === 0
    ? []
    : [
        warning(
          'rows_without_metadata',
          `${counted(ids.length, 'array row has no prediction; it goes', 'array rows have no prediction; they go')} to a quarantine file.`,
          ids.map((id) => ({ id })),
        ),
      ]

const nameWarnings = (datasets: readonly SurveyedDataset[]): MigrationWarning[] => {
  const warnings: MigrationWarning[] = []
  for (const [file, sharing] of Map.groupBy(datasets, (dataset) => dataset.file)) {
    if (sharing.length === 1) continue
    const names = sharing.map(({ name }) => `“${name}”`).join(', ')
    warnings.push(
      warning('shared_file_name', `${names} share the file ${file}; their rows stay apart by dataset_name.`, [], sharing.length),
    )
  }
  const hashed = datasets.filter(({ file }) => /-[0-9a-f]{16}\.parquet$/.test(file))
  if (hashed.length > 0) {
    const detail = `${counted(hashed.length, 'dataset name cannot be a file name as it is; its file carries', 'dataset names cannot be file names as they are; their files carry')} a hash of the full name.`
    warnings.push(warning('name_truncated', detail, [], hashed.length))
  }
  return warnings
}

const existingWarnings = (existing: ExistingArrays): MigrationWarning[] => {
  const ids = (list: readonly string[]) => list.map((id) => ({ id }))
  const all: [MigrationWarning['code'], readonly string[], string, string][] = [
    [
      'stale_parquet_rows',
      existing.staleIds,
      'row of arrays/ differs from the table; the table counts, the other goes to a quarantine file',
      'rows of arrays/ differ from the table; the table counts, the others go to a quarantine file',
    ],
    ['parquet_only_rows', existing.parquetOnlyIds, 'row is only in arrays/; it stays', 'rows are only in arrays/; they stay'],
    [
      'duplicate_prediction_ids',
      existing.duplicateIds,
      'prediction has several rows in arrays/; one is left',
      'predictions have several rows in arrays/; one is left of each',
    ],
    [
      'removed_rows',
      existing.removedIds,
      'row of arrays/ that was deleted before is left out; the replaced file is kept beside the proof',
      'rows of arrays/ that were deleted before are left out; the replaced files are kept beside the proof',
    ],
  ]
  const warnings = all.flatMap(([code, list, one, many]) =>
    list.length === 0 ? [] : [warning(code, `${counted(list.length, one, many)}.`, ids(list))],
  )
  for (const { name, reason } of existing.corrupt) {
    const detail = `arrays/${name} cannot be read (${reason}). All its predictions are in the table; the damaged file is kept beside the proof.`
    warnings.push(warning('unreadable_parquet', detail, [], 1))
  }
  const newer = existing.files.filter((file) => file.extras.length > 0)
  if (newer.length > 0) {
    const names = newer.map((file) => file.name).join(', ')
    warnings.push(warning('newer_columns', `${names} have columns of a later release; they are kept.`, [], newer.length))
  }
  return warnings
}

/** A damaged file may go only when every prediction that could be in it has its arrays in the table. */
const refuseUnreadable = async (engine: Engine, existing: ExistingArrays, datasets: readonly SurveyedDataset[]): Promise<void> => {
  if (existing.corrupt.length === 0) return
  const incomplete = await engine.rows(
    z.object({ name: z.string() }),
    `SELECT DISTINCT p.dataset_name AS name FROM ${sourceTable('predictions')} p
     WHERE NOT EXISTS (SELECT 1 FROM ${sourceTable(arraysTable)} a WHERE a.prediction_id = p.prediction_id)`,
  )
  for (const { name, reason } of existing.corrupt) {
    const isCovered = datasets.some(({ file }) => file === name) && !incomplete.some((dataset) => arrayFileName(dataset.name) === name)
    if (isCovered) continue
    throw new StorageError(
      'arrays_corrupt',
      `arrays/${name} cannot be read (${reason}), and the table does not hold everything that may be in it. Nothing was changed.`,
      { path: `arrays/${name}`, hint: 'Restore the file from a backup, or move it out of arrays/, then migrate again.' },
    )
  }
}

export const refuseUnknown = (extras: readonly ExtraColumn[], where: string): void => {
  const strange = extras.find((column) => !canCarry(column))
  if (strange === undefined) return
  throw new StorageError(
    'store_too_new',
    `${where} has a column ${strange.name} of type ${strange.type}, which this release cannot carry over. Nothing was changed.`,
    { hint: 'Update NIRS Workspace.' },
  )
}

/** Both sides of the verification would see the same rounded number: what cannot be carried to the bit is not carried at all. */
export const refuseLossy = (columns: ReadonlyMap<string, string>, where: string): void => {
  for (const [name, type] of columns) {
    const column = listColumns.find((one) => one === name.toLowerCase())
    if (column === undefined || losslessTypes(column).includes(type)) continue
    throw new StorageError(
      'store_unsafe',
      `${where} has a column ${name} of the type ${type}, which no nirs4all release writes and which would lose digits. Nothing was changed.`,
      { hint: 'Ask whoever wrote this workspace for one that nirs4all has written.' },
    )
  }
}

/** The columns of a file are read by their exact names: its values would be null, before and afterwards. */
const refuseOtherCase = (columns: ReadonlyMap<string, string>, where: string): void => {
  const other = [...columns.keys()].find((name) => isArrayFileColumn(name) && name !== name.toLowerCase())
  if (other === undefined) return
  throw new StorageError(
    'store_unsafe',
    `${where} has a column ${other}, which every nirs4all release writes in small letters and whose values would be lost. Nothing was changed.`,
    { hint: 'Ask whoever wrote this workspace for one that nirs4all has written.' },
  )
}

const readTombstonesOrWarn = async (arrays: string): Promise<{ entries: ReadonlyMap<string, string>; warnings: MigrationWarning[] }> => {
  try {
    return { entries: await readTombstones(arrays), warnings: [] }
  } catch (error) {
    if (!isStorageError(error, 'tombstones_corrupt')) throw error
    const detail = 'The list of removed predictions in arrays/ is damaged; no row is left out because of it.'
    return { entries: new Map(), warnings: [warning('tombstones_corrupt', detail, [], 1)] }
  }
}

/** At most a thousand ids travel with a warning; the count is exact. */
export const warning = (
  code: MigrationWarning['code'],
  detail: string,
  ids: readonly { id: string }[],
  count = ids.length,
): MigrationWarning => MigrationWarning.parse({ code, detail, count, ids: ids.slice(0, 1000).map(({ id }) => id) })

const Id = z.object({ id: z.string() })

const nothingToDo = () =>
  new StorageError('not_migratable', 'The store has no prediction_arrays table: there is nothing to do.', {
    hint: 'Open the workspace as it is.',
  })

const ambiguous = () =>
  new StorageError(
    'store_unsafe',
    'The store holds several rows for one prediction_id, which no nirs4all release writes. Nothing was changed.',
    {
      hint: 'Ask whoever gave you this workspace for an untouched copy.',
    },
  )
