import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import type { OpenMerge } from './open-merge.ts'
import { ofSource } from './source-views.ts'

const Chain = z.object({
  chain_id: z.string(),
  steps: z.string().nullable(),
  fold_artifacts: z.string().nullable(),
  shared_artifacts: z.string().nullable(),
})

/** `s<i>_rewritten(chain_id, steps, fold_artifacts, shared_artifacts)`: the chains that name artifacts whose ids change, with the new ids. */
export const rewriteReferences = async ({ engine, sources }: OpenMerge): Promise<void> => {
  for (const { index } of sources) {
    const renamed = await engine.rows(
      z.object({ old_id: z.string(), new_id: z.string() }),
      `SELECT old_id, new_id FROM ${ofSource(index, 'map')} WHERE tbl = 'artifacts' AND old_id <> new_id AND action <> 'leave'`,
    )
    const ids = new Map(renamed.map((row) => [row.old_id, row.new_id]))
    const chains =
      ids.size === 0
        ? []
        : await engine.rows(
            Chain,
            `SELECT chain_id, steps, fold_artifacts, shared_artifacts FROM ${ofSource(index, 'chains')} WHERE chain_id IN (SELECT chain_id
             FROM ${ofSource(index, 'refs')} WHERE artifact_id IN (SELECT old_id FROM ${ofSource(index, 'map')} WHERE tbl = 'artifacts' AND old_id <> new_id))`,
          )
    await engine.run(
      `CREATE TABLE ${ofSource(index, 'rewritten')} (chain_id VARCHAR, steps VARCHAR, fold_artifacts VARCHAR, shared_artifacts VARCHAR)`,
    )
    const column = (name: 'steps' | 'fold_artifacts' | 'shared_artifacts') => ({
      type: 'varchar' as const,
      values: chains.map((chain) => renameIn(chain[name], ids)),
    })
    await appendColumns(engine, { alias: 'memory', table: `s${index}_rewritten` }, [
      { type: 'varchar', values: chains.map((chain) => chain.chain_id) },
      column('steps'),
      column('fold_artifacts'),
      column('shared_artifacts'),
    ])
  }
}

const jsonString = /"(?:[^"\\]|\\.)*"/g

/** Exchanges whole strings of a JSON text; everything else of it, Python's NaN and its spacing included, stays as it is. */
export const renameIn = (text: string | null, ids: ReadonlyMap<string, string>): string | null =>
  text === null
    ? null
    : text.replace(jsonString, (token) => {
        const id = ids.get(decoded(token))
        return id === undefined ? token : JSON.stringify(id)
      })

/** What a string of a JSON text says; a token that is no such string as it stands. */
export const decoded = (token: string): string => {
  try {
    return z.string().parse(JSON.parse(token))
  } catch (error) {
    // Not JSON after all: a text that no id equals.
    if (error instanceof SyntaxError) return token
    throw error
  }
}
