import { artifactIdsOf } from '../bundles/chain-references.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import type { OpenMerge } from './open-merge.ts'
import { ofSource } from './source-views.ts'

/** `<table>(chain_id, artifact_id)` in memory: what every chain that the query gives names. */
export const collectReferences = async (engine: Engine, table: string, chains: string): Promise<void> => {
  await engine.run(`CREATE TABLE memory.main.${table} (chain_id VARCHAR, artifact_id VARCHAR)`)
  for await (const chunk of streamChunks(engine, `SELECT chain_id, steps, fold_artifacts, shared_artifacts FROM (${chains})`)) {
    const [ids, steps, folds, shared] = [chunk.texts(0), chunk.texts(1), chunk.texts(2), chunk.texts(3)]
    const pairs = ids.flatMap((chain, row) => {
      const texts = { steps: steps[row] ?? null, fold_artifacts: folds[row] ?? null, shared_artifacts: shared[row] ?? null }
      return artifactIdsOf(texts).map((id) => [chain, id] as const)
    })
    await appendColumns(engine, { alias: 'memory', table }, [
      { type: 'varchar', values: pairs.map(([chain]) => chain) },
      { type: 'varchar', values: pairs.map(([, id]) => id) },
    ])
  }
}

/**
 * A statement for the transaction: models that chains of several workspaces, or copies of chains, name in the end have at least as many
 * references as chains that name them. nirs4all removes the file of a model when it has taken away as many. What it has counted beyond that
 * stays, and so does what it has counted of a model that belongs to one workspace.
 */
export const recountReferences = async ({ engine, sources }: OpenMerge, artifacts: string): Promise<string> => {
  const coming = sources.map(({ index }) => comingReferences((name) => ofSource(index, name)))
  await engine.run(`CREATE TABLE memory.main.coming_refs AS ${coming.join(' UNION ALL ')}`)
  await collectReferences(engine, 'target_refs', 'FROM target_catalog.main.chains WHERE EXISTS (FROM memory.main.coming_refs)')
  const all = 'SELECT chain_id, artifact_id FROM memory.main.coming_refs UNION SELECT chain_id, artifact_id FROM memory.main.target_refs'
  const shared = `SELECT artifact_id FROM memory.main.coming_refs GROUP BY artifact_id
    HAVING bool_or(is_shared) OR artifact_id IN (SELECT artifact_id FROM memory.main.target_refs)`
  return `UPDATE ${artifacts} AS a SET ref_count = c.n
    FROM (SELECT artifact_id, count(*) AS n FROM (${all}) WHERE artifact_id IN (${shared}) GROUP BY artifact_id) AS c
    WHERE c.artifact_id = a.artifact_id AND coalesce(a.ref_count, 0) < c.n`
}

const comingReferences = (
  own: (name: string) => string,
): string => `SELECT c.new_id AS chain_id, coalesce(a.new_id, r.artifact_id) AS artifact_id,
    c.is_copy OR a.action IS DISTINCT FROM 'insert' AS is_shared
  FROM ${own('refs')} r JOIN (SELECT old_id, new_id, false AS is_copy FROM ${own('map')} WHERE tbl = 'chains' AND action = 'insert'
    UNION ALL SELECT old_id, new_id, true FROM ${own('copies')}) c ON c.old_id = r.chain_id
  LEFT JOIN ${own('map')} a ON a.tbl = 'artifacts' AND a.old_id = r.artifact_id AND a.action <> 'leave'`
