import type { Engine } from '../engine/open-engine.ts'
import { lineageMembers } from './edit-lineage.ts'
import { digestOf, newId, plainJson, plainTime } from './merge-sql.ts'
import { keyOf, type LineageTable, lineageTables, ofSource } from './source-views.ts'

/** Whether a config says what its run was made from. */
export const notesLineage = (config: string): string =>
  `CASE WHEN json_valid(${config}) THEN coalesce(json_type(${config}, '$.lineage') = 'OBJECT', false) ELSE false END`

/** The ids in a lineage are those of one workspace, not what the run is. */
const withoutIds = `CASE WHEN ${notesLineage('config')} THEN json_merge_patch(config, '{"lineage": {${[...lineageMembers.keys()].map((name) => `"${name}": null`).join(', ')}}}')::VARCHAR
  ELSE config END`

/** What makes a row the same row wherever it lies: what its run fixed at its beginning, not what came later (state, scores, project). */
const identity: Record<LineageTable, readonly string[]> = {
  projects: ['name'],
  runs: ['name', plainTime('created_at'), plainJson(withoutIds), plainJson('datasets')],
  pipelines: ['parent', 'name', 'dataset_name', plainTime('created_at'), plainJson('expanded_config')],
  chains: ['parent', 'model_class', 'model_step_idx', 'preprocessings', plainJson('branch_path'), plainTime('created_at')],
  artifacts: ["regexp_replace(content_hash, '^sha256:', '')"],
  logs: ['parent', 'step_idx', 'event', 'message', plainTime('created_at')],
}

/** The column that names a row's parent, and the parent's table. */
const parentOf: Partial<Record<LineageTable, { column: string; table: LineageTable }>> = {
  pipelines: { column: 'run_id', table: 'runs' },
  chains: { column: 'pipeline_id', table: 'pipelines' },
  logs: { column: 'pipeline_id', table: 'pipelines' },
}

/** Rows of the target and of sources mapped so far: `known(tbl, id, digest)`. */
export const learnTarget = async (engine: Engine): Promise<void> => {
  await engine.run('CREATE TABLE memory.main.known (tbl VARCHAR, id VARCHAR, digest VARCHAR)')
  for (const table of lineageTables) {
    const parent = parentOf[table]?.column ?? 'NULL'
    await engine.run(`INSERT INTO memory.main.known SELECT '${table}', ${keyOf[table]}, ${digestOf(...identity[table])}
      FROM (SELECT *, ${parent} AS parent FROM target_catalog.main.${table})`)
  }
}

/**
 * `s<i>_map(tbl, old_id, new_id, digest, action)`: which id each row of a source has in the target, `same` where it is there, `insert` where it
 * is not. An id stays unless the target uses it for something else. Projects of one name are one project.
 */
export const mapLineage = async (engine: Engine, source: number): Promise<void> => {
  const map = ofSource(source, 'map')
  await engine.run(`CREATE TABLE ${map} (tbl VARCHAR, old_id VARCHAR, new_id VARCHAR, digest VARCHAR, action VARCHAR)`)
  for (const table of lineageTables) {
    const parent = parentOf[table]
    const rows =
      parent === undefined
        ? `SELECT *, NULL AS parent FROM ${ofSource(source, table)}`
        : `SELECT r.*, p.new_id AS parent FROM ${ofSource(source, table)} r JOIN ${map} p ON p.tbl = '${parent.table}' AND p.old_id = r.${parent.column}`
    await engine.run(`INSERT INTO ${map} SELECT '${table}', n.id,
        CASE WHEN a.digest = n.digest THEN n.id WHEN b.id IS NOT NULL THEN n.other WHEN named.id IS NOT NULL THEN named.id WHEN a.id IS NULL THEN n.id ELSE n.other END,
        n.digest, CASE WHEN a.digest = n.digest OR b.id IS NOT NULL OR named.id IS NOT NULL THEN 'same' ELSE 'insert' END
      FROM (SELECT id, digest, ${newId(table, 'id', 'digest')} AS other FROM (SELECT ${keyOf[table]} AS id, ${digestOf(...identity[table])} AS digest FROM (${rows}))) n
      LEFT JOIN memory.main.known a ON a.tbl = '${table}' AND a.id = n.id
      LEFT JOIN memory.main.known b ON b.tbl = '${table}' AND b.id = n.other
      LEFT JOIN (SELECT digest, min(id) AS id FROM memory.main.known WHERE tbl = '${table}' AND '${table}' = 'projects' GROUP BY digest) named
        ON named.digest = n.digest`)
  }
}
