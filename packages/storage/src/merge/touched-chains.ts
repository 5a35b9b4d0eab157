import * as z from 'zod'
import { DuckdbMetadata } from '../maintenance/duckdb-metadata.ts'
import { readIds } from '../maintenance/read-texts.ts'
import { formsOf } from '../store/chain-figures.ts'
import { type ChainState, chainStates, type TouchedChain } from '../store/refresh-chains.ts'
import { loseTwins } from '../store/twin-figures.ts'
import { goneIds } from './match-predictions.ts'
import type { OpenMerge } from './open-merge.ts'
import { arrivals } from './place-predictions.ts'

/** Chains of the target of which predictions give way. */
export const losingChains = `SELECT DISTINCT chain_id AS id FROM target_catalog.main.predictions
  WHERE chain_id IS NOT NULL AND prediction_id IN (${goneIds}) ORDER BY id`

const ofTarget = 'SELECT chain_id FROM target_catalog.main.chains'

/**
 * Chains that do not have in the end the predictions that their figures were made of, with the forms that these may have and what they lose of
 * the refit's twin: those of the target that lose or get some, and those that come with only some of theirs or with those of several sources.
 * All others keep their figures to the bit.
 */
export const findTouchedChains = async (merge: OpenMerge, target: DuckdbMetadata): Promise<ReadonlyMap<string, TouchedChain>> => {
  const { engine, sources } = merge
  const getting = sources.map(({ index }) => `SELECT new_chain AS id FROM ${arrivals(index)} WHERE new_chain IN (${ofTarget})`)
  const own = await readIds(engine, `SELECT DISTINCT id FROM (${[`(${losingChains})`, ...getting].join(' UNION ALL ')}) ORDER BY id`)
  const gone = new Set(await readIds(engine, `SELECT id FROM (${goneIds}) ORDER BY id`))
  const touched = new Map<string, TouchedChain>()
  for await (const state of chainStates(target, own)) touched.set(state.chain_id, touch(state, gone))
  for (const { index } of sources) {
    const incomplete = await engine.rows(Incomplete, incompleteChains(merge, index))
    const renamed = Map.groupBy(incomplete, ({ old_id }) => old_id)
    const store = await DuckdbMetadata.open({ engine, alias: `source_${index}`, path: '', root: '' })
    for await (const state of chainStates(store, [...renamed.keys()])) {
      for (const { new_id, absent } of renamed.get(state.chain_id) ?? []) {
        if (!touched.has(new_id)) touched.set(new_id, touch(state, new Set(absent)))
      }
    }
  }
  return touched
}

const touch = ({ figures, rows }: ChainState, absent: ReadonlySet<string>): TouchedChain => ({
  forms: formsOf(figures, rows),
  lost: loseTwins(figures, rows, ({ prediction_id }) => absent.has(prediction_id)),
})

/** `absent`: the predictions of the refit's twin that do not come with the chain. */
const Incomplete = z.object({ old_id: z.string(), new_id: z.string(), absent: z.array(z.string()) })

const incompleteChains = ({ sources }: OpenMerge, source: number): string => {
  const elsewhere = sources.filter(({ index }) => index !== source).map(({ index }) => `SELECT new_chain FROM ${arrivals(index)}`)
  const shared =
    elsewhere.length === 0 ? 'false' : `new_chain IN (SELECT new_chain FROM (${elsewhere.join(' UNION ALL ')}) WHERE new_chain IS NOT NULL)`
  const predictions = `source_${source}.main.predictions`
  return `WITH chosen AS (SELECT old_chain, new_chain FROM (SELECT old_chain, new_chain, count(*) AS n FROM ${arrivals(source)}
        WHERE new_chain IS NOT NULL AND new_chain NOT IN (${ofTarget}) GROUP BY ALL)
      JOIN (SELECT chain_id, count(DISTINCT prediction_id) AS of_chain FROM ${predictions} GROUP BY chain_id) ON chain_id = old_chain
      WHERE n <> of_chain OR ${shared}),
    absent AS (SELECT c.old_chain, c.new_chain, p.prediction_id FROM chosen c JOIN ${predictions} p ON p.chain_id = c.old_chain
      LEFT JOIN ${arrivals(source)} a ON a.id = p.prediction_id AND a.new_chain = c.new_chain WHERE p.fold_id = 'final_agg' AND a.id IS NULL)
    SELECT old_chain AS old_id, c.new_chain AS new_id, coalesce(list(prediction_id) FILTER (prediction_id IS NOT NULL), []) AS absent
    FROM chosen c LEFT JOIN absent USING (old_chain, new_chain) GROUP BY old_chain, c.new_chain ORDER BY new_id`
}
