import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { slotOf } from './match-predictions.ts'
import { newId } from './merge-sql.ts'
import { ofSource } from './source-views.ts'

/** Predictions of a source that the target gets, with the ids that they, their pipelines and their chains have there. */
export const arrivals = (source: number): string => ofSource(source, 'arriving')

/** `slots(slot)`: the places in chains of the target that stay occupied. */
export const learnSlots = (engine: Engine): Promise<void> =>
  engine.run(`CREATE TABLE memory.main.slots AS SELECT slot FROM memory.main.present WHERE origin = -1 AND state = 'alive'`)

/**
 * Gives every prediction that comes its place. A chain holds one prediction per fold, partition, model and branch: nirs4all deletes further
 * ones when it opens a store. Where a source brings further ones, its rows of that chain go to a copy of the chain (`s<i>_copies(old_id, base_id,
 * new_id)`, without those that are there already), a second one within the source to a copy of its own; `s<i>_places` says which.
 */
export const placePredictions = async (engine: Engine, source: number): Promise<void> => {
  const [arriving, places, map] = [arrivals(source), ofSource(source, 'places'), ofSource(source, 'map')]
  await engine.run(`CREATE TABLE ${arriving} AS SELECT *, ${slotOf('pipeline_id', 'new_chain')} AS slot FROM (
    SELECT m.*, pl.new_id AS pipeline_id, c.new_id AS new_chain FROM ${ofSource(source, 'matched')} m
    JOIN ${map} pl ON pl.tbl = 'pipelines' AND pl.old_id = m.old_pipeline LEFT JOIN ${map} c ON c.tbl = 'chains' AND c.old_id = m.old_chain
    WHERE m.action = 'insert')`)
  await engine.run(`CREATE TABLE ${places} AS
    WITH numbered AS (SELECT id, old_chain, pipeline_id, place, new_chain, concat(digest, variant) AS digest,
        row_number() OVER (PARTITION BY slot ORDER BY created_at, id) - 1 AS nth, slot IN (SELECT slot FROM memory.main.slots) AS is_full
      FROM ${arriving} WHERE new_chain IS NOT NULL),
    signed AS (SELECT new_chain, sha256(string_agg(digest, '' ORDER BY digest, id)) AS signature, bool_or(is_full) AS is_full, max(nth) + 1 AS copies
      FROM numbered GROUP BY new_chain)
    SELECT id, old_chain, pipeline_id, place, new_chain AS base_id, signature, copies, nth, ${copyId('nth')} AS new_id
    FROM numbered JOIN signed USING (new_chain) WHERE signed.is_full OR nth > 0`)
  await leaveTakenCopies(engine, source)
  await engine.run(`CREATE TABLE ${ofSource(source, 'copies')} AS SELECT min(old_chain) AS old_id, base_id, new_id FROM ${places}
    WHERE new_id NOT IN (SELECT id FROM memory.main.known WHERE tbl = 'chains') GROUP BY ALL`)
  await engine.run(`UPDATE ${arriving} AS a SET new_chain = c.new_id FROM ${places} c WHERE c.id = a.id`)
  await engine.run(`UPDATE ${arriving} SET slot = ${slotOf('pipeline_id', 'new_chain')} WHERE id IN (SELECT id FROM ${places})`)
  await engine.run(`INSERT INTO memory.main.slots SELECT slot FROM ${arriving}`)
}

const copyId = (nth: string, base = 'new_chain') => newId('chains', base, `signature || ':' || (${nth})`)

/**
 * A copy may be there from an earlier merge or source: what finds its place taken in it goes to the next copy, as does what would go to a
 * chain that the source has itself under the id of a copy: what else comes of that chain goes there.
 */
const leaveTakenCopies = async (engine: Engine, source: number): Promise<void> => {
  const places = ofSource(source, 'places')
  const taken = `SELECT new_id FROM ${places} WHERE ${slotOf('pipeline_id', 'new_id')} IN (SELECT slot FROM memory.main.slots)
    OR new_id IN (SELECT new_id FROM ${ofSource(source, 'map')} WHERE tbl = 'chains')`
  const count = `SELECT count(*) AS n FROM (${taken})`
  while ((await engine.one(z.object({ n: z.number() }), count)).n > 0) {
    await engine.run(`UPDATE ${places} SET nth = nth + copies, new_id = ${copyId('nth + copies', 'base_id')} WHERE new_id IN (${taken})`)
  }
}
