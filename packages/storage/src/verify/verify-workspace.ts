import type { Finding, VerifyReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { interruptible } from '../engine/engine-lane.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import type { VerifyOptions } from '../migration/job-options.ts'
import { ProgressTracker } from '../migration/job-progress.ts'
import { readJournal } from '../migration/journal.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { checkGiven } from '../options/check-options.ts'
import { flag, maybeText, optionsOf, workShape } from '../options/option-schemas.ts'
import { type ArrayFile, listArrayFiles } from '../workspace/array-files.ts'
import { concerning } from '../workspace/array-findings.ts'
import { counted } from '../workspace/counted-text.ts'
import { findCutLog } from '../workspace/find-cut-log.ts'
import { findStaleRows } from '../workspace/find-stale-rows.ts'
import { findUnreadableLog } from '../workspace/find-unreadable-log.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { checkArrayFile, createArrayTables } from './check-array-file.ts'
import { checkArrayRows } from './check-array-rows.ts'
import { checkBackup } from './check-backup.ts'
import { type CheckedFile, ChecksumChecker } from './check-checksums.ts'
import { checkMetadata } from './check-metadata.ts'
import { checkModels } from './check-models.ts'
import { checkProof } from './check-proof.ts'
import { findUnreadableFiles } from './find-unreadable-files.ts'
import { locateDamage, locateInFile } from './locate-damage.ts'
import { ScrubState } from './scrub-state.ts'

const Options = optionsOf<VerifyOptions>({ ...workShape, depth: z.enum(['quick', 'deep']), scrubState: maybeText, requireProof: flag })

/**
 * Checks that everything can be read and fits together: the store, the footer, columns, ids and lengths of every array file, the models
 * that rows name, the migration's proof. `deep` decodes every value and compares the checksums in the footers and of the models. Changes nothing; damage is a
 * finding, and so is that others have changed the workspace meanwhile.
 */
export const verifyWorkspace = async (path: string, options: VerifyOptions): Promise<VerifyReport> => {
  checkGiven(Options, options)
  const resolved = await resolveWorkspace(path)
  const startedAt = performance.now()
  try {
    return await withEngine({ memoryLimit: '700MB' }, (engine) =>
      interruptible(engine, options.signal, () => verify(engine, resolved, options, startedAt)),
    )
  } catch (error) {
    if (options.signal?.aborted) throw new StorageError('cancelled', 'The check was cancelled. Nothing was changed.', {}, error)
    throw error
  }
}

const verify = async (engine: Engine, resolved: ResolvedWorkspace, options: VerifyOptions, startedAt: number): Promise<VerifyReport> => {
  const progress = new ProgressTracker(options.onProgress)
  const findings: Finding[] = []
  const fingerprint = await fingerprintWorkspace(resolved)
  const files = await listArrayFiles(resolved)
  progress.expect([], 0, bytesOf(files), 0)
  await createArrayTables(engine)
  progress.phase('verify', 'Checking the metadata')
  const metadata = await checkMetadata(engine, resolved, options)
  findings.push(...metadata.findings)
  const isStoreSound = findings.every(({ severity }) => severity !== 'error')
  if (isStoreSound) {
    progress.phase('verify', 'Checking the models')
    findings.push(...(await collected(() => checkModels(engine, resolved, options))))
  }
  findings.push(...(await unreadableJournal(resolved)))
  findings.push(...(await checkBackup(engine, resolved, options)))
  findings.push(...(await findUnreadableLog(resolved)), ...(await findCutLog(resolved)))
  const { damaged, findings: inFiles } = await checkFiles(engine, resolved, files, options, progress)
  findings.push(...inFiles)
  const unreadable = await findUnreadableFiles(engine, files, new Set(damaged.keys()))
  for (const [path, found] of damaged) {
    const lost = concerning(unreadable.damaged.get(path) ?? 0)
    findings.push(...found.map((finding) => ({ ...finding, detail: `${finding.detail}${lost}` })))
  }
  findings.push(...unreadable.missing)
  const { findings: inRows, rows } = await checkArrayRows(engine, resolved, metadata)
  findings.push(...inRows)
  if (options.depth === 'deep' && isStoreSound) findings.push(...(await collected(() => checkStaleRows(engine, resolved))))
  const proof = resolved.kind === 'portable' ? null : await checkProof(engine, layoutOf(resolved.root), { ...options, isStoreSound })
  findings.push(...(proof?.findings ?? []))
  if ((await fingerprintWorkspace(resolved)) !== fingerprint) findings.push(changedMeanwhile(findings))
  progress.phase('done', 'Checked')
  return {
    passed: findings.every(({ severity }) => severity === 'info'),
    depth: options.depth,
    rows_checked: rows,
    bytes_checked: bytesOf(files),
    duration_seconds: (performance.now() - startedAt) / 1000,
    findings,
    proof_holds: proof === null ? null : holdsAll(proof.holds && !findings.some(({ severity }) => severity === 'error'), options.depth),
  }
}

/** One file after the other; what is wrong with one as a whole is told apart, by its path. */
const checkFiles = async (
  engine: Engine,
  resolved: ResolvedWorkspace,
  files: readonly ArrayFile[],
  options: VerifyOptions,
  progress: ProgressTracker,
): Promise<{ findings: Finding[]; damaged: Map<string, Finding[]> }> => {
  const findings: Finding[] = []
  const damaged = new Map<string, Finding[]>()
  const unsealed: string[] = []
  const scrub = await ScrubState.open(options.depth === 'deep' ? options.scrubState : undefined, resolved.root)
  for (const file of files) {
    await scrubUnlessAborted(scrub, options.signal)
    const onDone = countBytes(progress, file.bytes)
    const found = await collected(() => checkArrayFile(engine, resolved.root, file.path))
    if (found.length > 0)
      damaged.set(file.path, options.depth === 'deep' ? await inGroups(engine, resolved, file.path, found, options) : found)
    else if (options.depth === 'deep') {
      progress.phase('verify', `Decoding ${file.path}`)
      const decoded = await decodeFile(engine, resolved, scrub, file.path, options.signal, onDone)
      findings.push(...decoded.findings)
      if (decoded.isUnsealed) unsealed.push(file.path)
    }
    onDone(1)
  }
  await scrub.forget()
  findings.push(...withoutChecksums(unsealed))
  return { findings, damaged }
}

/** A program that saves between two looks makes differences that are none: a warning where there are any. */
const changedMeanwhile = (findings: readonly Finding[]): Finding => ({
  code: 'changed_meanwhile',
  severity: findings.every(({ severity }) => severity === 'info') ? 'info' : 'warning',
  count: 1,
  detail: 'Another program has changed the workspace during this check, which may mix what was before with what came since. Check again.',
})

/** A quick look can show that a proof does not hold, never that it does: it compares sizes and no content. */
const holdsAll = (isUnharmed: boolean, depth: VerifyOptions['depth']): boolean | null =>
  isUnharmed && depth === 'quick' ? null : isUnharmed

const bytesOf = (files: readonly ArrayFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0)

/** Takes the share of a file that is checked by now. */
const countBytes = (progress: ProgressTracker, bytes: number): ((share: number) => void) => {
  let told = 0
  return (share) => {
    const done = Math.floor(bytes * share)
    progress.rows([], 0, done - told)
    told = done
  }
}

/** What was checked so far is kept for the next time, should this check be stopped. */
const scrubUnlessAborted = async (scrub: ScrubState, signal: AbortSignal | undefined): Promise<void> => {
  if (signal?.aborted) await scrub.save()
  signal?.throwIfAborted()
}

const decodeFile = async (
  engine: Engine,
  { root }: ResolvedWorkspace,
  scrub: ScrubState,
  path: string,
  signal: AbortSignal | undefined,
  onDone: (share: number) => void,
): Promise<Pick<CheckedFile, 'findings' | 'isUnsealed'>> => {
  try {
    const { findings, firstRows, isUnsealed = false } = await new ChecksumChecker(scrub).check(root, path, signal, onDone)
    return { findings: await locateDamage(engine, path, firstRows, findings), isUnsealed }
  } catch (error) {
    await scrub.save()
    throw error
  }
}

/** What was found of a file that cannot be read through, by its row groups where some of them can be decoded and others cannot. */
const inGroups = async (
  engine: Engine,
  { root }: ResolvedWorkspace,
  path: string,
  found: Finding[],
  { signal }: VerifyOptions,
): Promise<Finding[]> => {
  const { findings, firstRows } = await new ChecksumChecker(await ScrubState.open(undefined, root)).check(root, path, signal)
  const inside = findings.filter(({ row_group }) => row_group !== undefined)
  return inside.length === 0 ? found : locateInFile(engine, { root, path }, firstRows, inside)
}

/** What nirs4all writes has no checksums: nobody is to think that its values were compared with anything. */
const withoutChecksums = (paths: readonly string[]): Finding[] => {
  if (paths.length === 0) return []
  const what = counted(paths.length, 'file in arrays/ has row groups', 'files in arrays/ have row groups')
  const detail = `${what} without checksums, as nirs4all writes them: every value was decoded, but whether one has changed cannot be told.`
  return [{ code: 'no_checksums', severity: 'info', count: paths.length, detail }]
}

/** Looking does not need the journal of an unfinished job; whoever changes something does, and is refused. */
const unreadableJournal = async ({ kind, root }: ResolvedWorkspace): Promise<Finding[]> => {
  if (kind === 'portable') return []
  try {
    await readJournal(layoutOf(root))
    return []
  } catch (error) {
    if (!isStorageError(error, 'interrupted')) throw error
    return [{ code: 'interrupted_job', severity: 'error', count: 1, detail: error.message.replace(' Nothing was changed.', '') }]
  }
}

const TableRows = z.object({ rows: z.number() })

/** Only where a migration by the library stopped half-way are there two places that can differ. Damaged files are findings already. */
const checkStaleRows = async (engine: Engine, resolved: ResolvedWorkspace): Promise<Finding[]> => {
  const { rows } = await engine.one(
    TableRows,
    `SELECT count(*) AS rows FROM memory.main.array_rows WHERE origin = 'prediction_arrays' AND prediction_id IN
      (SELECT prediction_id FROM memory.main.array_rows WHERE origin <> 'prediction_arrays')`,
  )
  if (rows === 0) return []
  return findStaleRows(resolved)
}

/** Damage to one file is a finding about that file; the others are still checked. */
const collected = async (work: () => Promise<Finding[]>): Promise<Finding[]> => {
  try {
    return await work()
  } catch (error) {
    // Of a store.sqlite some damage shows only where a table is read.
    if (isStorageError(error, 'store_unreadable')) return [{ code: 'store_unreadable', severity: 'error', count: 1, detail: error.message }]
    if (isStorageError(error, 'arrays_corrupt', 'arrays_missing')) {
      return [{ code: 'corrupt_array_file', severity: 'error', count: 1, detail: error.message }]
    }
    throw error
  }
}
