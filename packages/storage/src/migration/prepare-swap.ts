import { stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import type { MigratedDataset, MigrationProof, MigrationReport, MigrationWarning } from '@nirs-workspace/types'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import { type Lane, openLane } from '../engine/engine-lane.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { syncFile, syncFolder } from '../files/disk.ts'
import { type FileMark, hashFile, markFile } from '../files/hash-file.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { writtenBy } from '../workspace/written-by.ts'
import { chooseFiles, quarantineFile } from './choose-files.ts'
import { finishFile } from './finish-file.ts'
import type { OriginalHashing } from './hash-original.ts'
import type { ProgressTracker } from './job-progress.ts'
import type { MigrateJournal } from './journal.ts'
import type { ArraySizes } from './measure-arrays.ts'
import { type DuckdbWorkspace, logWarning } from './plan-migration.ts'
import { writeProof } from './proof-file.ts'
import { type RebuiltStore, rebuildStore } from './rebuild-store.ts'
import type { SourceTables } from './source-tables.ts'
import { type SourceDigest, stageFile } from './stage-file.ts'
import type { StagedFile } from './staged-file.ts'
import { summariseFile } from './summarise-file.ts'
import { type Survey, warning } from './survey-store.ts'
import { stageMarks } from './unmark-migrated.ts'
import { type OddityFinder, valueWarnings } from './value-warnings.ts'
import { type VerifiedFile, verifyStaged } from './verify-staged.ts'
import { type Layout, layoutOf, placesOf } from './workspace-layout.ts'

export interface SwapContext {
  readonly engine: Engine
  readonly workspace: DuckdbWorkspace
  readonly survey: Survey
  readonly sizes: ArraySizes
  readonly hashing: OriginalHashing
  readonly journal: MigrateJournal
  readonly rowGroup: number
  readonly oddities: OddityFinder
  readonly progress: ProgressTracker
  readonly startedAt: number
  readonly signal: AbortSignal | undefined
}

interface FinishedFile {
  readonly file: StagedFile
  readonly verified: VerifiedFile
  readonly mark: FileMark
}

/**
 * Everything before the swap: array files staged, read back, compared and flushed; the new store built, compared and flushed; the proof
 * written. Writing, reading back and rebuilding run beside each other. Returns the journal that the commit follows.
 */
export const prepareSwap = async (context: SwapContext): Promise<{ journal: MigrateJournal; report: MigrationReport }> => {
  const { engine, survey, workspace, journal, progress } = context
  const layout = layoutOf(workspace.root)
  const places = placesOf(layout, journal.job_id)
  const files = await chooseFiles(engine, survey, places.staging)
  const quarantine = quarantineFile(survey, places.quarantine)
  const written = [...files.filter((file) => file.rows > 0), ...(quarantine === null ? [] : [quarantine])]
  const rows = written.reduce((total, file) => total + file.rows, 0)
  progress.expect(survey.datasets, rows, context.sizes.bytes, written.length)
  progress.phase('stage', 'Writing array files and reading them back')
  const stop = new AbortController()
  const signal = context.signal === undefined ? stop.signal : AbortSignal.any([context.signal, stop.signal])
  const nearEnd = Promise.withResolvers<void>()
  const work = [
    writeFiles({ ...context, signal }, written, nearEnd.resolve).finally(nearEnd.resolve),
    // The new store is written beside the first file, which nothing is read back beside, and compared beside the reading back of the last.
    rebuildAndHash({ ...context, signal }, places.newStore, nearEnd.promise),
    context.hashing.hashes,
  ] as const
  await allOrStop(stop, work)
  const [finished, rebuilt, { store: original, wal }] = await Promise.all(work)
  context.signal?.throwIfAborted()
  const inside = (path: string) => relative(layout.root, path).split(sep).join('/')
  const marks = await stageMarks(places, survey.marks, inside)
  await syncFolder(places.staging)
  await syncFolder(places.folder)
  await syncFolder(layout.root)
  const arrays = commitJournal(layout, context, files, finished, original)
  const next = {
    ...arrays,
    placed: [...arrays.placed, ...marks.placed],
    removed: [...arrays.removed, ...marks.removed],
    unmarked: [...survey.marks.unmarked],
  }
  progress.phase('report', 'Writing the proof')
  const proof = await makeProof({ context, layout, files, finished, rebuilt, original, wal, journal: next })
  await writeProof(places.proof, proof)
  for (const folder of [layout.migrations, layout.control, layout.root]) await syncFolder(folder)
  context.signal?.throwIfAborted()
  return { journal: next, report: proof.report }
}

type HashedStore = RebuiltStore & { readonly sha256: string }

/** Flushed and hashed while files are still written: afterwards one core would wait for it. */
const rebuildAndHash = async (
  { engine, survey, workspace, signal }: SwapContext,
  path: string,
  compareAfter: Promise<void>,
): Promise<HashedStore> => {
  signal?.throwIfAborted()
  // Who may read and write the store is the user's choice, not that of the process that migrates it.
  const mode = (await stat(workspace.duckdb)).mode & 0o777
  const rebuilt = await rebuildStore(engine, survey.tables, path, { signal, mode, compareAfter })
  await syncFile(path, mode)
  return { ...rebuilt, sha256: await hashFile(path, { signal }) }
}

/** Waits for all of them, also when one has failed: nothing may still be writing when things are taken back. */
const allOrStop = async (stop: AbortController, work: readonly Promise<unknown>[]): Promise<void> => {
  let failure: { error: unknown } | undefined
  await Promise.allSettled(
    work.map((promise) =>
      promise.catch((error: unknown) => {
        failure ??= { error }
        stop.abort()
      }),
    ),
  )
  if (failure !== undefined) throw failure.error
}

/**
 * One file is written while the one before is read back, so that both cores have work; the largest come first, as the last has no company.
 * Near the end is where but one file is left to be written, or the only one to be read back.
 */
const writeFiles = async (context: SwapContext, files: readonly StagedFile[], onNearEnd: () => void): Promise<FinishedFile[]> => {
  const reader = new ParquetReader()
  const finishing = await openLane(context.engine)
  const finished: FinishedFile[] = []
  let reading: Promise<void> = Promise.resolve()
  try {
    for (const [index, file] of largestFirst(files, context.sizes).entries()) {
      context.progress.datasets(file.datasets, 'staging')
      const skippedIds = context.survey.existing.unknownIds
      const { rowGroup, oddities, signal } = context
      const [source] = await Promise.all([stageFile(context.engine, file, { rowGroup, skippedIds, oddities, signal }), reading])
      if (index === Math.max(0, files.length - 2)) onNearEnd()
      context.progress.step()
      reading = readBack(context, reader, finishing, file, source).then((one) => void finished.push(one))
      // Awaited below; a failure meanwhile must not count as unhandled.
      reading.catch(() => undefined)
    }
    await reading
    await reader.done()
    return finished
  } finally {
    await reading.catch(() => undefined)
    await reader.close()
    finishing.close()
  }
}

/** By the bytes of their arrays: a prediction of many classes has several times those of another. */
const largestFirst = (files: readonly StagedFile[], { datasets }: ArraySizes): StagedFile[] => {
  const width = (name: string): number => {
    const measured = datasets.get(name)
    return measured === undefined || measured.rows === 0 ? 0 : measured.bytes / measured.rows
  }
  const bytes = ({ rows, datasets: names }: StagedFile) => rows * Math.max(1, ...names.map(width))
  return files.toSorted((a, b) => bytes(b) - bytes(a))
}

const readBack = async (
  context: SwapContext,
  reader: ParquetReader,
  lane: Lane,
  file: StagedFile,
  source: SourceDigest,
): Promise<FinishedFile> => {
  const { survey, progress, signal } = context
  progress.datasets(file.datasets, 'verifying')
  // Made while the rows are compared: the thread that reads them back need not wait for it before the next file.
  const summarising = summariseFile(
    lane,
    survey.tables,
    file,
    `read_parquet(${quotedString(escapeGlob(file.path))}, hive_partitioning = false)`,
  )
  const verifying = verifyStaged(reader, file, source, {
    skippedIds: survey.existing.unknownIds,
    signal,
    onRows: (rows, bytes) => progress.rows(file.datasets, rows, bytes),
  })
  await Promise.allSettled([summarising, verifying])
  const verified = await verifying
  if (verified.mismatches > 0) throw differs(file, verified)
  const summary = await summarising
  const mark = await finishFile(
    file.path,
    summary,
    source.groups.map((group) => group.checksums),
    source.data,
  )
  progress.datasets(file.datasets, 'done')
  return { file, verified, mark }
}

const differs = (file: StagedFile, verified: VerifiedFile) =>
  new StorageError(
    'verification_failed',
    `${verified.mismatches} rows of ${file.name}, read back after writing, differ from the store: ${verified.examples.slice(0, 5).join('; ')}. The original is untouched.`,
    {
      hint: 'Run the migration again; if it fails again, check the disk.',
      ids: verified.examples.map((text) => text.split(' (')[0] ?? text),
    },
  )

const commitJournal = (
  layout: Layout,
  context: SwapContext,
  files: readonly StagedFile[],
  finished: readonly FinishedFile[],
  original: string,
): MigrateJournal => {
  const places = placesOf(layout, context.journal.job_id)
  const inside = (path: string) => relative(layout.root, path).split(sep).join('/')
  const target = (file: StagedFile) => inside(join(layout.arrays, file.name))
  const replaced = (file: StagedFile) => inside(join(places.replaced, file.name))
  return {
    ...context.journal,
    original: { ...context.journal.original, sha256: original },
    placed: finished
      .filter(({ file }) => file.name !== 'quarantine')
      .map(({ file, mark }) => ({
        staged: inside(file.path),
        target: target(file),
        mark,
        replaced: file.existing ? replaced(file) : null,
      })),
    removed: files.filter((file) => file.rows === 0 && file.existing).map((file) => ({ target: target(file), replaced: replaced(file) })),
  }
}

interface ProofInput {
  readonly context: SwapContext
  readonly layout: Layout
  readonly files: readonly StagedFile[]
  readonly finished: readonly FinishedFile[]
  readonly rebuilt: HashedStore
  readonly original: string
  readonly wal: string | null
  readonly journal: MigrateJournal
}

const makeProof = async (input: ProofInput): Promise<MigrationProof> => {
  const { context, layout, finished, rebuilt, journal } = input
  const places = placesOf(layout, journal.job_id)
  const quarantine = finished.find(({ file }) => file.name === 'quarantine')
  const datasets = migratedDatasets(context.survey, finished)
  const storeBytes = (await stat(places.newStore)).size
  const replaced = await Promise.all(
    [...journal.placed, ...journal.removed].flatMap((file) =>
      file.replaced === null ? [] : [describeFile(layout.root, file.target, file.replaced)],
    ),
  )
  const walBytes = input.wal === null ? 0 : (await stat(layout.wal)).size
  const proof: Omit<MigrationProof, 'report'> = {
    format: 'nirs-workspace/migration-proof/1',
    job_id: journal.job_id,
    created_at: new Date().toISOString(),
    written_by: 'NIRS Workspace 0.1.0',
    original: {
      path: journal.backup,
      bytes: journal.original.bytes,
      sha256: input.original,
      release: releaseOf(context.survey.tables),
      wal: journal.backup_wal === null || input.wal === null ? null : { path: journal.backup_wal, bytes: walBytes, sha256: input.wal },
    },
    store: { path: basename(layout.store), bytes: storeBytes, sha256: rebuilt.sha256, tables: rebuilt.tables },
    files: journal.placed.map(({ target, mark }) => ({ path: target, bytes: mark.bytes, sha256: mark.sha256 })),
    replaced,
    datasets,
    arrays_created: journal.arrays_created,
    marked_before: [...context.survey.marks.before.keys()],
    quarantine:
      quarantine === undefined
        ? null
        : {
            path: relative(layout.root, quarantine.file.path).split(sep).join('/'),
            rows: quarantine.file.rows,
            sha256: quarantine.mark.sha256,
          },
  }
  return { ...proof, report: makeReport(context, proof, rebuilt, finished, walBytes, places.proof) }
}

const describeFile = async (root: string, path: string, keptAs: string) => {
  const { bytes, sha256 } = await markFile(join(root, path))
  return { path, kept_as: keptAs, bytes, sha256 }
}

const migratedDatasets = (survey: Survey, finished: readonly FinishedFile[]): MigratedDataset[] =>
  survey.datasets.map(({ name, file: fileName }) => {
    const found = finished.find(({ file }) => file.name === fileName)
    const source = found?.verified.source.get(name)
    const parquet = found?.verified.parquet.get(name)
    if (found === undefined || source === undefined || parquet === undefined) throw new Error(`The dataset ${name} was not written.`)
    // Datasets that share a file share its bytes by their rows.
    const bytes = Math.round((found.mark.bytes * parquet.rows) / Math.max(1, found.verified.rows))
    return {
      name,
      file: fileName,
      rows: parquet.rows,
      values: parquet.values,
      bytes,
      source_sha256: source.sha256,
      parquet_sha256: parquet.sha256,
    }
  })

const makeReport = (
  context: SwapContext,
  proof: Omit<MigrationProof, 'report'>,
  rebuilt: RebuiltStore,
  finished: readonly FinishedFile[],
  walBytes: number,
  proofPath: string,
): MigrationReport => {
  const { survey, journal, workspace } = context
  const verified = finished.reduce((rows, one) => rows + one.verified.rows, 0)
  return {
    job_id: journal.job_id,
    total_rows: survey.tableRows,
    rows_migrated: survey.datasets.reduce((rows, dataset) => rows + dataset.rows, 0),
    datasets_migrated: survey.datasets.map((dataset) => dataset.name),
    verification_passed: true,
    verification_sample_size: verified,
    verification_mismatches: 0,
    duckdb_size_before: proof.original.bytes + walBytes,
    duckdb_size_after: proof.store.bytes,
    parquet_total_size: finished.reduce((bytes, { file, mark }) => bytes + (file.name === 'quarantine' ? 0 : mark.bytes), 0),
    duration_seconds: (performance.now() - context.startedAt) / 1000,
    errors: [],
    datasets: [...proof.datasets],
    quarantined_rows: proof.quarantine?.rows ?? 0,
    quarantine_path: proof.quarantine === null ? null : join(workspace.root, proof.quarantine.path),
    warnings: [
      ...survey.warnings,
      ...logWarning(walBytes, survey, 'they were in store.duckdb.wal and have come along'),
      ...valueWarnings(context.oddities),
      ...storeWarnings(rebuilt),
    ],
    proof_path: proofPath,
    backup_path: join(workspace.root, proof.original.path),
    backup_wal_path: proof.original.wal === null ? null : join(workspace.root, proof.original.wal.path),
  }
}

const storeWarnings = ({ hasNaturalKeyIndex, lost, lostSigns }: RebuiltStore): MigrationWarning[] => [
  ...(hasNaturalKeyIndex
    ? []
    : [
        warning(
          'duplicate_natural_keys',
          'The unique index over pipeline, chain, fold, partition, model and branch was left out: rows repeat it.',
          [],
          1,
        ),
      ]),
  ...(lostSigns.length === 0
    ? []
    : [
        warning(
          'negative_zero',
          `DuckDB stores −0 as 0 in ${lostSigns.join(', ')}; the numbers are equal. The original has them.`,
          [],
          lostSigns.length,
        ),
      ]),
  ...lost.map((what) => warning('not_carried', `${what} could not be made again in the new store; the original has it.`, [], 1)),
]

const releaseOf = (tables: SourceTables): string | null =>
  writtenBy({ sqlite: null, tables: new Map([...tables].map(([name, columns]) => [name, new Set(columns.map((column) => column.name))])) })
