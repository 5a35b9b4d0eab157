import * as z from 'zod'
import { DuckdbMetadata } from '../maintenance/duckdb-metadata.ts'
import { readIds } from '../maintenance/read-texts.ts'
import type { FigureForm } from '../store/chain-figures.ts'
import { findForms } from '../store/refresh-chains.ts'
import { goneIds } from './match-predictions.ts'
import type { OpenMerge } from './open-merge.ts'
import { arrivals } from './place-predictions.ts'

/** Chains of the target of which predictions give way. */
export const losingChains = `SELECT DISTINCT chain_id AS id FROM target_catalog.main.predictions
  WHERE chain_id IS NOT NULL AND prediction_id IN (${goneIds}) ORDER BY id`

const ofTarget = 'SELECT chain_id FROM target_catalog.main.chains'

/**
 * Chains that do not have in the end the predictions that their figures were made of, with the forms that these may have: those of the target
 * that lose or get some, and those that come with only some of theirs or with those of several sources. All others keep their figures to the bit.
 */
export const findTouchedChains = async (merge: OpenMerge, target: DuckdbMetadata): Promise<ReadonlyMap<string, readonly FigureForm[]>> => {
  const { engine, sources } = merge
  const getting = sources.map(({ index }) => `SELECT new_chain AS id FROM ${arrivals(index)} WHERE new_chain IN (${ofTarget})`)
  const own = await readIds(engine, `SELECT DISTINCT id FROM (${[`(${losingChains})`, ...getting].join(' UNION ALL ')}) ORDER BY id`)
  const touched = new Map(await findForms(target, own))
  for (const { index } of sources) {
    const incomplete = await engine.rows(Renamed, incompleteChains(merge, index))
    const store = await DuckdbMetadata.open({ engine, alias: `source_${index}`, path: '', root: '' })
    const forms = await findForms(
      store,
      incomplete.map(({ old_id }) => old_id),
    )
    for (const { old_id, new_id } of incomplete) if (!touched.has(new_id)) touched.set(new_id, forms.get(old_id) ?? ['none'])
  }
  return touched
}

const Renamed = z.object({ old_id: z.string(), new_id: z.string() })

const incompleteChains = ({ sources }: OpenMerge, source: number): string => {
  const elsewhere = sources.filter(({ index }) => index !== source).map(({ index }) => `SELECT new_chain FROM ${arrivals(index)}`)
  const shared =
    elsewhere.length === 0 ? 'false' : `new_chain IN (SELECT new_chain FROM (${elsewhere.join(' UNION ALL ')}) WHERE new_chain IS NOT NULL)`
  return `SELECT old_chain AS old_id, new_chain AS new_id FROM (SELECT old_chain, new_chain, count(*) AS n FROM ${arrivals(source)}
      WHERE new_chain IS NOT NULL AND new_chain NOT IN (${ofTarget}) GROUP BY ALL)
    JOIN (SELECT chain_id, count(DISTINCT prediction_id) AS of_chain FROM source_${source}.main.predictions GROUP BY chain_id) ON chain_id = old_chain
    WHERE n <> of_chain OR ${shared} ORDER BY new_id`
}
