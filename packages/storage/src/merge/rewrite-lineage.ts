import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { editLineage } from './edit-lineage.ts'
import { notesLineage } from './map-lineage.ts'
import { digested, findIds } from './match-predictions.ts'
import { ofSource } from './source-views.ts'

const Run = z.object({ run_id: z.string(), new_id: z.string(), name: z.string().nullable(), config: z.string() })
const Resolved = z.object({ tbl: z.string(), id: z.string(), new_id: z.string().nullable(), is_taken: z.boolean() })

/** The id of a named row in the target; null where it has none and the target uses the id that it had for another row. */
type Ids = ReadonlyMap<string, string | null>

/**
 * `s<i>_lineage(run_id, config, cut)`: the runs that come and name others by ids that these do not have in the target, with the ids that they
 * have there. What does not come keeps its id unless the target uses that for another row: then `cut` names the run, whose config names nothing.
 * When all sources have been worked out.
 */
export const rewriteLineage = async (engine: Engine, sources: readonly number[]): Promise<void> => {
  for (const source of sources) {
    await engine.run(`CREATE TABLE ${ofSource(source, 'lineage')} (run_id VARCHAR, config VARCHAR, cut VARCHAR)`)
    const runs = await engine.rows(
      Run,
      `SELECT r.run_id, m.new_id, r.name, r.config FROM ${ofSource(source, 'runs')} r JOIN ${ofSource(source, 'map')} m ON m.tbl = 'runs' AND m.old_id = r.run_id
       WHERE m.action = 'insert' AND ${notesLineage('r.config')} ORDER BY r.run_id`,
    )
    if (runs.length === 0) continue
    const ids = await resolveIds(engine, source, runs)
    const rewritten = runs.map((run) => rewrite(run, ids)).filter((row, at) => row.config !== runs[at]?.config)
    await appendColumns(engine, { alias: 'memory', table: `s${source}_lineage` }, [
      { type: 'varchar', values: rewritten.map((row) => row.run_id) },
      { type: 'varchar', values: rewritten.map((row) => row.config) },
      { type: 'varchar', values: rewritten.map((row) => row.cut) },
    ])
  }
}

const keyOf = (table: string, id: string) => `${table} ${id}`

const rewrite = (run: z.output<typeof Run>, ids: Ids) => {
  let cut: string | null = null
  const config = editLineage(run.config, (table, id) => {
    const found = ids.get(keyOf(table, id))
    if (found === null) cut = `${run.name ?? ''} (${run.new_id})`
    return found === undefined ? id : found
  })
  return { run_id: run.run_id, config, cut }
}

const resolveIds = async (engine: Engine, source: number, runs: readonly z.output<typeof Run>[]): Promise<Ids> => {
  const named: { table: string; id: string }[] = []
  for (const { config } of runs) {
    editLineage(config, (table, id) => {
      named.push({ table, id })
      return id
    })
  }
  const noted = ofSource(source, 'noted')
  await engine.run(`CREATE TABLE ${noted} (tbl VARCHAR, id VARCHAR)`)
  await appendColumns(engine, { alias: 'memory', table: `s${source}_noted` }, [
    { type: 'varchar', values: named.map(({ table }) => table) },
    { type: 'varchar', values: named.map(({ id }) => id) },
  ])
  const rows = await engine.rows(Resolved, `${runsSql(source)} UNION ALL ${predictionsSql(source)}`)
  return new Map(rows.flatMap(({ tbl, id, new_id, is_taken }) => (new_id === null && !is_taken ? [] : [[keyOf(tbl, id), new_id] as const])))
}

/** A run that this source leaves behind may come with another one. */
const runsSql = (
  source: number,
): string => `SELECT DISTINCT n.tbl, n.id, k.id AS new_id, n.id IN (SELECT id FROM memory.main.known WHERE tbl = 'runs') AS is_taken
  FROM ${ofSource(source, 'noted')} n LEFT JOIN ${ofSource(source, 'map')} m ON m.tbl = 'runs' AND m.old_id = n.id
  LEFT JOIN memory.main.known k ON k.tbl = 'runs' AND k.id = m.new_id AND (m.action <> 'leave' OR k.digest = m.digest) WHERE n.tbl = 'runs'`

/** Predictions of datasets that were not chosen may be in the target all the same. */
const predictionsSql = (source: number): string => {
  const own = `SELECT DISTINCT ON (prediction_id) * FROM source_${source}.main.predictions
    WHERE prediction_id IN (SELECT id FROM ${ofSource(source, 'noted')} WHERE tbl = 'predictions')
      AND prediction_id NOT IN (SELECT id FROM ${ofSource(source, 'matched')} WHERE action = 'skip')`
  const alive = `(SELECT id FROM memory.main.present WHERE state = 'alive')`
  return `SELECT DISTINCT n.tbl, n.id, coalesce(c.id, f.there[1]) AS new_id, n.id IN ${alive} AS is_taken
    FROM ${ofSource(source, 'noted')} n LEFT JOIN ${ofSource(source, 'matched')} m ON m.id = n.id AND m.action IN ('insert', 'same')
    LEFT JOIN ${alive} c ON c.id = coalesce(m.same_id, m.new_id)
    LEFT JOIN (${findIds(`SELECT id, digest, digest AS content, id AS first, false AS is_bare FROM (${digested(own)})`)}) f ON f.id = n.id
    WHERE n.tbl = 'predictions'`
}
