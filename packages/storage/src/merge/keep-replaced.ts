import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { SummaryBuilder } from '../array-store/summary-builder.ts'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { makeFolder, syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { markFile } from '../files/hash-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { DuckdbMetadata } from '../maintenance/duckdb-metadata.ts'
import type { MetadataStore } from '../maintenance/metadata-store.ts'
import { readIds } from '../maintenance/read-texts.ts'
import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { describeLoss, type KeptFigures } from '../trash/kept-figures.ts'
import type { Contents, TrashManifest } from '../trash/trash-manifest.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { openChosen } from './incoming-arrays.ts'
import { goneIds } from './match-predictions.ts'
import type { OpenMerge } from './open-merge.ts'
import { openInTurn } from './rows-in-turn.ts'
import { formsOf } from './stage-arrays.ts'
import { losingChains } from './touched-chains.ts'
import { writeRows } from './write-rows.ts'

interface Kept {
  /** The predictions whose arrays are to be marked as removed: those that have some. A mark without would hide what comes later. */
  readonly marks: readonly string[]
  /** Name of the folder in the trash; null when nothing gives way. */
  readonly operation: string | null
}

interface KeptFile {
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/** Name of the operation in the trash, chosen before anything is written so that the journal knows it. */
export const trashOperation = (jobId: string): string => `merge-${jobId}-${randomUUID().slice(0, 8)}`

/** Writes the predictions that give way, rows and arrays, to `trash/<operation>/`, flushed and hashed, before the merge removes them. */
export const keepReplaced = async (merge: OpenMerge, target: ResolvedWorkspace, trash: string, operation: string): Promise<Kept> => {
  const gone = await merge.engine.rows(
    z.object({ id: z.string(), has_arrays: z.boolean() }),
    `SELECT id, has_arrays FROM memory.main.present WHERE id IN (${goneIds}) ORDER BY id`,
  )
  const ids = gone.map((row) => row.id)
  if (ids.length === 0) return { marks: [], operation: null }
  const folder = join(trash, operation)
  for (const path of [trash, folder, join(folder, 'arrays')]) await makeFolder(path)
  const files: KeptFile[] = [await keepRows(merge, target, folder, ids.length), ...(await keepArrays(merge, target, folder))]
  const { figures, twins, lineage } = await describeGoing(merge, target, folder, ids)
  files.push(...lineage.map(({ path, rows, bytes, sha256 }) => ({ path, rows, bytes, sha256 })))
  if (figures.length > 0) files.push(await keepFigures(folder, figures))
  const contents = {
    tables: [{ table: 'predictions', file: 'predictions.parquet', keys: ids }],
    lineage: lineage.map(({ table, path, keys }) => ({ table, file: path, keys })),
    arrays: gone.filter((row) => row.has_arrays).map((row) => row.id),
    datasets: [],
    files: [],
  } satisfies Contents
  await writeJsonDurably(join(folder, 'contents.json'), contents)
  const { bytes, sha256 } = await markFile(join(folder, 'contents.json'))
  files.push({ path: 'contents.json', rows: 0, bytes, sha256 })
  const manifest = {
    format: 'nirs-workspace/trash/1',
    operation_id: operation,
    kind: 'merge',
    created_at: new Date().toISOString(),
    counts: { predictions: ids.length },
    files,
    twins,
  } satisfies TrashManifest
  await writeJsonDurably(join(folder, 'manifest.json'), manifest)
  for (const path of [join(folder, 'arrays'), folder, trash, dirname(trash)]) await syncFolder(path)
  return { marks: contents.arrays, operation }
}

const keepRows = async ({ engine }: OpenMerge, target: ResolvedWorkspace, folder: string, expected: number): Promise<KeptFile> => {
  const { duckdb } = target
  if (duckdb === null) throw new StorageError('store_unreadable', 'The store of the target is no longer there. Nothing was changed.')
  const path = join(folder, 'predictions.parquet')
  await faultPoint({ kind: 'engine-write', path })
  const rows = `SELECT * FROM giving_way.main.predictions WHERE prediction_id IN (${goneIds})`
  return withAttachedStore(engine, duckdb, 'giving_way', async () => {
    await engine.run(`COPY (${rows} ORDER BY prediction_id) TO ${quotedString(path)}
      (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, DICTIONARY_SIZE_LIMIT 0)`)
    const kept = await describe(engine, folder, 'predictions.parquet', expected)
    const exact = (from: string) => `SELECT COLUMNS(*)::VARCHAR FROM ${from}`
    const { n } = await engine.one(Count, `SELECT count(*) AS n FROM ((${exact(`(${rows})`)}) EXCEPT ALL (${exact(fileRows(path))}))`)
    if (n === 0) return kept
    throw new StorageError('verification_failed', `${n} rows that were kept in the trash differ. Nothing was merged.`, {
      path,
      hint: 'Try again; if it fails again, check the disk.',
    })
  })
}

interface Going {
  readonly figures: readonly KeptFigures[]
  readonly twins: string[]
  readonly lineage: readonly KeptLineage[]
}

/**
 * For a restore: what the chains say that lose predictions, which predictions share their natural key with some of those, and the rows to which
 * they belong, which go as soon as somebody removes what comes in their place.
 */
const describeGoing = async (
  { engine }: OpenMerge,
  { duckdb, root }: ResolvedWorkspace,
  folder: string,
  gone: readonly string[],
): Promise<Going> => {
  if (duckdb === null) return { figures: [], twins: [], lineage: [] }
  return withAttachedStore(engine, duckdb, 'giving_way', async ({ alias }) => {
    const metadata = await DuckdbMetadata.open({ engine, alias, path: duckdb, root })
    const figures = await describeLoss(metadata, await readIds(engine, losingChains), new Set(gone))
    return { figures, twins: await metadata.twinsOf(gone), lineage: await keepLineage(metadata, folder, gone) }
  })
}

interface KeptLineage extends KeptFile {
  readonly table: string
  readonly keys: string[]
}

const keepLineage = async (metadata: MetadataStore, folder: string, predictions: readonly string[]): Promise<KeptLineage[]> => {
  const wanted = new Map<string, Set<string>>([['predictions', new Set(predictions)]])
  const kept: KeptLineage[] = []
  for (const table of ['predictions', 'chains', 'pipelines', 'runs']) {
    const { key, parents } = metadata.shapes.get(table) ?? { key: null, parents: [] }
    const keys = key === null ? [] : await metadata.keysWhere(table, key, [...(wanted.get(table) ?? [])])
    if (keys.length === 0) continue
    for (const { column, table: parent } of parents) {
      const found = [...(await metadata.textsOf({ table, keys }, column)).values()].filter((id) => id !== null)
      wanted.set(parent, new Set([...(wanted.get(parent) ?? []), ...found]))
    }
    if (table === 'predictions') continue
    const path = `${table}.parquet`
    const rows = await metadata.saveRows({ table, keys }, join(folder, path))
    const { bytes, sha256 } = await markFile(join(folder, path))
    kept.push({ table, keys, path, rows, bytes, sha256 })
  }
  return kept
}

const keepFigures = async (folder: string, figures: readonly KeptFigures[]): Promise<KeptFile> => {
  const path = 'figures.json'
  await writeJsonDurably(join(folder, path), figures)
  const { bytes, sha256 } = await markFile(join(folder, path))
  return { path, rows: 0, bytes, sha256 }
}

const Count = z.object({ n: z.number() })
const fileRows = (path: string): string => `read_parquet(${quotedString(escapeGlob(path))}, hive_partitioning = false)`

/** Of a file that is missing, which the catalog therefore does not list, nothing can be kept; one that is damaged refuses the merge. */
const isInPlace = '(has_arrays OR array_source IN (SELECT path FROM target_catalog.main.array_files))'

const keepArrays = async (merge: OpenMerge, target: ResolvedWorkspace, folder: string): Promise<KeptFile[]> => {
  const chosen = `SELECT prediction_id, dataset_name, model_name, fold_id, "partition", metric, val_score, task_type, array_source, prediction_id AS new_id,
      branch_name, refit_context, created_at::VARCHAR
    FROM target_catalog.main.predictions WHERE array_source IS NOT NULL AND ${isInPlace} AND prediction_id IN (${goneIds})`
  const rows = await openChosen(merge.engine, target, chosen, merge.request.signal)
  try {
    const files: KeptFile[] = []
    for (const [dataset, count] of rows.datasets) {
      const name = `arrays/${files.length}.parquet`
      const path = join(folder, name)
      const forms = formsOf(null, rows.filesOf([dataset]))
      const writer = await ArrayFileWriter.create(path, forms)
      const chosenRows = openInTurn([{ engine: rows.engine, sql: rows.rowsSql([dataset], forms) }], merge.request.signal)
      await writeRows(writer, forms, new SummaryBuilder(), chosenRows, merge.request.signal)
      files.push(await describe(rows.engine, folder, name, count))
    }
    return files
  } finally {
    await rows.close()
  }
}

/** Flushes a file and counts its rows as it lies on the disk. */
const describe = async (engine: Engine, folder: string, name: string, expected: number): Promise<KeptFile> => {
  const path = join(folder, name)
  await faultPoint({ kind: 'engine-write', path })
  await syncFile(path)
  const { n } = await engine.one(Count, `SELECT count(*) AS n FROM ${fileRows(path)}`)
  if (n !== expected)
    throw new StorageError('verification_failed', `${expected} rows were to be kept in the trash and ${n} were. Nothing was merged.`)
  const { bytes, sha256 } = await markFile(path)
  return { path: name, rows: n, bytes, sha256 }
}
