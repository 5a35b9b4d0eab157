import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { arrayFileName } from '../arrays/file-name.ts'
import { openParquet, type ParquetFile } from '../arrays/parquet-file.ts'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { refuseChanged } from '../export/refuse-changed.ts'
import { syncFolder } from '../files/disk.ts'
import type { FileMark } from '../files/hash-file.ts'
import { type ExtraColumn, formsWith, isArrayFileColumn } from '../migration/array-columns.ts'
import { existingRowsSql } from '../migration/existing-files.ts'
import { finishFile } from '../migration/finish-file.ts'
import { defaultRowGroup, stageFile } from '../migration/stage-file.ts'
import type { StagedFile } from '../migration/staged-file.ts'
import { summariseFile } from '../migration/summarise-file.ts'
import { verifyStaged } from '../migration/verify-staged.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { type IncomingArrays, openIncoming } from './incoming-arrays.ts'
import type { OpenMerge } from './open-merge.ts'
import { type OpenRowsOf, openInTurn } from './rows-in-turn.ts'
import { fillSummaryRows, summaryTables } from './summary-rows.ts'

/** A finished file beside the one that it takes the place of. */
export interface StagedArrays {
  readonly name: string
  readonly path: string
  readonly mark: FileMark
  readonly rows: number
  /** Size and time of the file that it was made from; null when there is none. */
  readonly before: { readonly bytes: number; readonly mtimeMs: number } | null
}

/**
 * Writes every array file that gets rows anew under `staging`: the rows that it has, then those of the sources under their new ids; reads each
 * back through the other reader and compares every value, seals and flushes it. Throws `arrays_corrupt` for damage on either side,
 * `verification_failed`.
 */
export const stageArrays = async (merge: OpenMerge, staging: string, onFile: (rows: number) => void): Promise<StagedArrays[]> => {
  const incoming: IncomingArrays[] = []
  try {
    for (const source of merge.sources) incoming.push(await openIncoming(merge, source))
    await fillSummaryRows(merge)
    const datasets = [...new Set(incoming.flatMap((source) => [...source.datasets.keys()]))]
    const staged: StagedArrays[] = []
    for (const [name, own] of Map.groupBy(datasets, arrayFileName)) {
      merge.request.signal?.throwIfAborted()
      const file = await stageOne(merge, { name, staging, datasets: own, incoming })
      staged.push(file)
      onFile(file.rows)
    }
    if (staged.length > 0) await syncFolder(staging)
    return staged
  } finally {
    for (const source of incoming) await source.close()
  }
}

interface FileToStage {
  readonly name: string
  readonly staging: string
  readonly datasets: readonly string[]
  readonly incoming: readonly IncomingArrays[]
}

const stageOne = async (merge: OpenMerge, { name, staging, datasets, incoming }: FileToStage): Promise<StagedArrays> => {
  const { engine } = merge
  const existing = await openExisting(merge, name)
  try {
    const extras = mergeExtras([existing?.extras ?? [], ...incoming.map((source) => source.extras)])
    const rows = incoming.reduce((sum, source) => sum + datasets.reduce((own, dataset) => own + (source.datasets.get(dataset) ?? 0), 0), 0)
    const parts: OpenRowsOf[] = [
      ...(existing === null ? [] : [{ engine, sql: existingRowsSql(existing.parquet, extras) }]),
      ...incoming
        .filter((source) => datasets.some((dataset) => source.datasets.has(dataset)))
        .map((source) => ({ engine: source.engine, sql: source.rowsSql(datasets, extras) })),
    ]
    const file: StagedFile = {
      name,
      path: join(staging, name),
      openRows: (_, signal) => openInTurn(parts, signal),
      rows: rows + (existing?.rows ?? 0),
      datasets,
      columns: formsWith(extras),
      extras,
      existing: existing !== null,
    }
    const mark = await writeVerified(engine, file, merge.request.signal)
    return { name, path: file.path, mark, rows, before: existing?.status ?? null }
  } finally {
    await existing?.parquet.close()
  }
}

/** Writes a file, reads it back through the other reader, compares every value, seals and flushes it. */
export const writeVerified = async (engine: Engine, file: StagedFile, signal: AbortSignal | undefined): Promise<FileMark> => {
  const source = await stageFile(engine, file, { rowGroup: defaultRowGroup, signal })
  const reader = new ParquetReader()
  try {
    const { mismatches, examples } = await verifyStaged(reader, file, source, { signal })
    if (mismatches > 0) {
      throw new StorageError(
        'verification_failed',
        `${mismatches} rows of ${file.name}, read back after writing, differ. Nothing was merged.`,
        {
          ids: examples.map((text) => text.split(' (')[0] ?? text),
          hint: 'Merge again; if it fails again, check the disk.',
        },
      )
    }
  } finally {
    await reader.close()
  }
  const relation = `read_parquet(${quotedString(escapeGlob(file.path))}, hive_partitioning = false)`
  const summary = await summariseFile(engine, summaryTables, file, relation)
  return finishFile(
    file.path,
    summary,
    source.groups.map((group) => group.checksums),
    source.data,
  )
}

interface Existing {
  readonly parquet: ParquetFile
  readonly extras: readonly ExtraColumn[]
  readonly rows: number
  readonly status: { readonly bytes: number; readonly mtimeMs: number }
}

/** The file of this name in the target, its checksums compared: damage must not get new checksums that vouch for it. */
const openExisting = async ({ engine, target }: OpenMerge, name: string): Promise<Existing | null> => {
  if (target === null) return null
  const path = join(target.resolved.arrays, name)
  const status = await stat(path).catch(() => null)
  if (status === null) return null
  await refuseChanged(target.resolved.root, `arrays/${name}`)
  const parquet = await openParquet(engine, target.resolved.root, `arrays/${name}`)
  try {
    const { n } = await engine.one(z.object({ n: z.number() }), `SELECT count(*) AS n FROM ${parquet.relation}`)
    const extras = [...parquet.columns].flatMap(([column, type]) => (isArrayFileColumn(column) ? [] : [{ name: column, type }]))
    return { parquet, extras, rows: n, status: { bytes: status.size, mtimeMs: status.mtimeMs } }
  } catch (error) {
    await parquet.close()
    throw error
  }
}

/** Every extra column once, with the type of the first that has it. */
const mergeExtras = (all: readonly (readonly ExtraColumn[])[]): ExtraColumn[] =>
  [
    ...new Map(
      all
        .flat()
        .toReversed()
        .map((extra) => [extra.name, extra]),
    ).values(),
  ].toReversed()
