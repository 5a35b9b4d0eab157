import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationProof } from '@nirs-workspace/types'
import { systemCode } from '../errors.ts'
import type { Layout } from './workspace-layout.ts'

export const proofName = 'migration-proof.json'
/** What a proof is called once its migration has been rolled back. */
export const undoneProofName = 'migration-proof.rolled-back.json'

export interface FoundProof {
  readonly path: string
  readonly proof: MigrationProof
}

/** The proof of the last migration that was not rolled back; null without one. A proof that cannot be read counts as none. */
export const findProof = async (layout: Layout): Promise<FoundProof | null> => {
  const found: FoundProof[] = []
  for (const job of await foldersIn(layout.migrations)) {
    const path = join(layout.migrations, job, proofName)
    const proof = await readProof(path)
    if (proof !== null) found.push({ path, proof })
  }
  return found.toSorted((a, b) => b.proof.created_at.localeCompare(a.proof.created_at))[0] ?? null
}

export const readProof = async (path: string): Promise<MigrationProof | null> => {
  try {
    const parsed = MigrationProof.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR' || error instanceof SyntaxError) return null
    throw error
  }
}

const foldersIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
