import * as z from 'zod'
import { artifactIdsOf } from '../bundles/chain-references.ts'
import type { Engine } from '../engine/open-engine.ts'
import { seen } from '../store/store-session.ts'

/** What a chain names. */
export interface ChainReferences {
  readonly chain_id: string
  readonly artifacts: readonly string[]
}

const Chain = z.object({
  chain_id: z.string(),
  steps: z.string().nullable(),
  fold_artifacts: z.string().nullable(),
  shared_artifacts: z.string().nullable(),
})

export const readReferences = async (engine: Engine): Promise<ChainReferences[]> => {
  const chains = await engine.rows(Chain, `SELECT ${Object.keys(Chain.shape).join(', ')} FROM ${seen('chains')} ORDER BY chain_id`)
  return chains.map((chain) => ({ chain_id: chain.chain_id, artifacts: artifactIdsOf(chain) }))
}

/** By how many chains each artifact is named: the true reference count, whatever the column of that name says. */
export const countReferences = (references: readonly ChainReferences[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { artifacts } of references) for (const id of artifacts) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
