import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { MigrationProof } from '@nirs-workspace/types'
import * as z from 'zod'
import { StorageError, systemCode } from '../errors.ts'
import { rename, unlink } from '../files/disk.ts'
import { JobId, KeptLog, KeptOriginal, pathIn } from '../files/inside-names.ts'
import { exists } from '../files/move-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import type { Layout } from './workspace-layout.ts'

export const proofName = 'migration-proof.json'
/** The same again, should the first be damaged. */
export const proofCopyName = 'migration-proof.copy.json'
/** What a proof is called once its migration has been rolled back. */
export const undoneProofName = 'migration-proof.rolled-back.json'

export interface FoundProof {
  readonly path: string
  readonly proof: MigrationProof
}

/** Something about the proofs that is not as a migration left it. */
export interface ProofProblem {
  readonly detail: string
}

export interface ProofSurvey {
  /** Of the last migration that was not rolled back, from its copy when need be. */
  readonly last: FoundProof | null
  readonly problems: readonly ProofProblem[]
  /** Kept originals, in the workspace folder, that no readable proof speaks of. */
  readonly unprovedOriginals: readonly string[]
}

/** The proof of the last migration that was not rolled back, from its copy when it is damaged itself; null without one. */
export const findProof = async (layout: Layout): Promise<FoundProof | null> => (await surveyProofs(layout)).last

/** All proofs of a workspace, and what is damaged or missing of them. */
export const surveyProofs = async (layout: Layout): Promise<ProofSurvey> => {
  const found: FoundProof[] = []
  const problems: ProofProblem[] = []
  for (const job of await foldersIn(layout.migrations)) {
    const folder = join(layout.migrations, job)
    if (await exists(join(folder, undoneProofName))) continue
    const [main, copy] = [await readOne(join(folder, proofName)), await readOne(join(folder, proofCopyName))]
    const proof = proofIn(main) ?? proofIn(copy)
    const path = relative(layout.root, join(folder, proofName))
    // A roll back looks for it by the name of its job.
    const isElsewhere = proof !== null && proof.job_id !== job
    if (proof !== null && !isElsewhere) found.push({ path: join(folder, proofName), proof })
    const problem = isElsewhere ? elsewhere(path, proof) : problemOf(path, main, copy)
    if (problem !== null) problems.push({ detail: problem })
  }
  const unprovedOriginals = await originalsWithout(layout, found)
  for (const name of problems.length === 0 ? unprovedOriginals : []) {
    problems.push({ detail: `${name} is the original that a migration kept, but the proof of that migration is missing.` })
  }
  const last = found.toSorted((a, b) => b.proof.created_at.localeCompare(a.proof.created_at))[0] ?? null
  return { last, problems, unprovedOriginals }
}

/** What was read of one file: the proof, or why there is none. */
type ReadProof = MigrationProof | 'absent' | 'damaged'

const proofIn = (read: ReadProof): MigrationProof | null => (typeof read === 'string' ? null : read)

const problemOf = (path: string, main: ReadProof, copy: ReadProof): string | null => {
  if (proofIn(main) === null && proofIn(copy) !== null)
    return `${path} is ${main === 'absent' ? 'missing' : 'damaged'}; its copy is intact and is used.`
  if (main === 'damaged') return `${path} is damaged: what the migration proved cannot be checked.`
  return copy === 'damaged' ? `${join(dirname(path), proofCopyName)} is damaged; the proof itself is intact.` : null
}

const elsewhere = (path: string, { job_id }: MigrationProof): string =>
  `${path} is the proof of the migration ${job_id}, after which its folder has to be named: it does not count.`

/** While a job is under way, or waits to be taken up again, its journal speaks of the original. */
const originalsWithout = async (layout: Layout, found: readonly FoundProof[]): Promise<string[]> => {
  if (await exists(layout.journal)) return []
  const proved = new Set(found.map(({ proof }) => proof.original.path))
  return (await foldersIn(layout.root)).filter((name) => /^store\.duckdb\.\d{8}T\d{6}Z\.bak$/.test(name) && !proved.has(name)).sort()
}

/** Says why there is nothing to roll back; names the kept original where only the proof is lost. */
export const noProofError = async (layout: Layout): Promise<StorageError> => {
  const { problems, unprovedOriginals } = await surveyProofs(layout)
  const [problem] = problems
  const name = unprovedOriginals.at(-1)
  if (problem === undefined) {
    return new StorageError('proof_not_found', 'There is no migration to roll back. Nothing was changed.', {
      hint: 'Only migrations made by NIRS Workspace, and not rolled back yet, can be.',
    })
  }
  if (name === undefined) {
    return new StorageError('proof_not_found', `${problem.detail} The original it kept is not there. Nothing was changed.`, {
      hint: 'Put the proof and the original back from a backup to roll back.',
    })
  }
  const log = (await exists(join(layout.root, `${name}.wal`))) ? `, and ${name}.wal as store.duckdb.wal` : ''
  return new StorageError('proof_not_found', `${problem.detail} The original is still there, as ${name}. Nothing was changed.`, {
    path: join(layout.root, name),
    hint: `Put the proof back from a backup and roll back again; or, with no other program using the workspace, move store.duckdb and arrays aside and copy ${name} as store.duckdb${log}.`,
  })
}

/** Writes a proof with its own checksum, twice. The second is there before the first. */
export const writeProof = async (path: string, proof: MigrationProof): Promise<void> => {
  const sealed = { ...proof, sha256: sealOf(proof) }
  await writeJsonDurably(join(dirname(path), proofCopyName), sealed)
  await writeJsonDurably(path, sealed)
}

/** Marks the proof in a job's folder as one of a migration that was rolled back. Can be repeated. */
export const retireProof = async (folder: string): Promise<void> => {
  const [main, copy, undone] = [join(folder, proofName), join(folder, proofCopyName), join(folder, undoneProofName)]
  const isCopyBetter = proofIn(await readOne(main)) === null && (await exists(copy))
  const source = isCopyBetter ? copy : main
  if (!(await exists(undone)) && (await exists(source))) await rename(source, undone)
  for (const path of [main, copy]) if (await exists(path)) await unlink(path)
}

/** One proof, from its copy when it is damaged or missing; null when neither can be read. */
export const readProof = async (path: string): Promise<MigrationProof | null> => {
  const proof = proofIn(await readOne(path))
  if (proof !== null || basename(path) !== proofName) return proof
  return proofIn(await readOne(join(dirname(path), proofCopyName)))
}

const { original, files, replaced, quarantine } = MigrationProof.shape

/** A proof may come from elsewhere: what it names is moved and deleted. */
const InsideProof = MigrationProof.extend({
  job_id: JobId,
  original: original.extend({ path: KeptOriginal, wal: original.shape.wal.unwrap().extend({ path: KeptLog }).nullable() }),
  files: z.array(files.element.extend({ path: pathIn('arrays') })),
  replaced: z.array(replaced.element.extend({ path: pathIn('arrays'), kept_as: pathIn('.nirs-workspace') })),
  quarantine: quarantine
    .unwrap()
    .extend({ path: pathIn('.nirs-workspace') })
    .nullable(),
})

const readOne = async (path: string): Promise<ReadProof> => {
  try {
    const written: unknown = JSON.parse(await readFile(path, 'utf8'))
    const parsed = InsideProof.safeParse(written)
    return parsed.success && isSealIntact(written) ? parsed.data : 'damaged'
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return 'absent'
    if (error instanceof SyntaxError || systemCode(error) === 'EISDIR') return 'damaged'
    throw error
  }
}

const sealOf = (proof: object): string => createHash('sha256').update(JSON.stringify(proof)).digest('hex')

/** Proofs of earlier releases have no checksum. */
const isSealIntact = (written: unknown): boolean => {
  if (typeof written !== 'object' || written === null || !('sha256' in written)) return true
  const { sha256, ...proof } = written
  return sha256 === sealOf(proof)
}

const foldersIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  }
}
