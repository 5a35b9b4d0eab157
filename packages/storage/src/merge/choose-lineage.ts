import type { Engine } from '../engine/open-engine.ts'
import { arrivals } from './place-predictions.ts'
import { collectReferences } from './recount-references.ts'
import { type LineageTable, ofSource } from './source-views.ts'

/**
 * Decides which rows come along: the parents of every prediction that comes, the models of its chain, the logs of its pipeline; and what
 * has no predictions at all (failed runs, empty projects), so that nothing is lost into an empty target. With a choice of datasets only what
 * belongs to them. Rows that are not needed become `leave` in `s<i>_map`. `s<i>_refs(chain_id, artifact_id)`: what every chain of the source names.
 */
export const chooseLineage = async (engine: Engine, source: number, datasets: readonly string[] | null): Promise<void> => {
  await collectReferences(engine, `s${source}_refs`, `FROM ${ofSource(source, 'chains')}`)
  const names = new Names(source, datasets)
  for (const [table, needed] of Object.entries(names.needed())) {
    await engine.run(`CREATE TABLE ${ofSource(source, `need_${table}`)} AS SELECT DISTINCT id FROM (${needed}) WHERE id IS NOT NULL`)
    await engine.run(`UPDATE ${ofSource(source, 'map')} SET action = 'leave' WHERE tbl = '${table}' AND action = 'insert'
      AND old_id NOT IN (SELECT id FROM ${ofSource(source, `need_${table}`)})`)
  }
  await engine.run(`INSERT INTO memory.main.known SELECT tbl, new_id, digest FROM ${ofSource(source, 'map')} WHERE action = 'insert'`)
  await engine.run(`INSERT INTO memory.main.known SELECT 'chains', c.new_id, m.digest FROM ${ofSource(source, 'copies')} c
    JOIN ${ofSource(source, 'map')} m ON m.tbl = 'chains' AND m.old_id = c.old_id`)
}

/** The queries for the ids that are needed, by table, in the order in which they build on each other. */
class Names {
  readonly #source: number
  readonly #all: boolean
  readonly #ofChosen: string

  constructor(source: number, datasets: readonly string[] | null) {
    this.#source = source
    this.#all = datasets === null
    const list = JSON.stringify(datasets ?? []).replaceAll("'", "''")
    this.#ofChosen = datasets === null ? 'true' : `dataset_name IN (SELECT unnest(from_json('${list}', '["VARCHAR"]')))`
  }

  needed(): Partial<Record<LineageTable, string>> {
    const own = (name: string) => ofSource(this.#source, name)
    const anyPrediction = `source_${this.#source}.main.predictions`
    const coming = `SELECT * FROM ${arrivals(this.#source)}`
    const withoutPredictions = `SELECT pipeline_id AS id FROM ${own('pipelines')} WHERE ${this.#ofChosen}
      AND pipeline_id NOT IN (SELECT pipeline_id FROM ${anyPrediction} WHERE pipeline_id IS NOT NULL) AND name <> 'Predictions without a pipeline'`
    const comingPipelines = `SELECT old_id AS id FROM ${own('map')} WHERE tbl = 'pipelines' AND new_id IN (SELECT pipeline_id FROM (${coming}))
      UNION ALL SELECT pipeline_id FROM ${own('chains')} WHERE chain_id IN (SELECT old_chain FROM (${coming}))`
    return {
      pipelines: `${comingPipelines} UNION ALL ${withoutPredictions}`,
      chains: `SELECT old_chain AS id FROM (${coming}) WHERE id NOT IN (SELECT id FROM ${own('places')})
        UNION ALL SELECT chain_id FROM ${own('chains')} WHERE pipeline_id IN (SELECT id FROM ${own('need_pipelines')})
          AND chain_id NOT IN (SELECT chain_id FROM ${anyPrediction} WHERE chain_id IS NOT NULL)`,
      runs: `SELECT run_id AS id FROM ${own('pipelines')} WHERE pipeline_id IN (SELECT id FROM ${own('need_pipelines')})
        ${this.#orElse(`SELECT run_id FROM ${own('runs')} WHERE run_id NOT IN (SELECT run_id FROM ${own('pipelines')})`)}`,
      projects: `SELECT project_id AS id FROM ${own('runs')} WHERE run_id IN (SELECT id FROM ${own('need_runs')})
        ${this.#orElse(`SELECT project_id FROM ${own('projects')} WHERE project_id NOT IN (SELECT project_id FROM ${own('runs')} WHERE project_id IS NOT NULL)`)}`,
      logs: `SELECT log_id AS id FROM ${own('logs')} WHERE pipeline_id IN (SELECT id FROM ${own('need_pipelines')})
        OR pipeline_id IN (SELECT p.pipeline_id FROM ${own('pipelines')} p JOIN ${own('map')} m ON m.tbl = 'pipelines' AND m.old_id = p.pipeline_id
          WHERE m.action = 'same' AND ${this.#ofChosen})`,
      artifacts: `SELECT artifact_id AS id FROM ${own('refs')} WHERE chain_id IN (SELECT id FROM ${own('need_chains')} UNION ALL SELECT old_id FROM ${own('copies')})
        ${this.#orElse(`SELECT artifact_id FROM ${own('artifacts')} WHERE artifact_id NOT IN (SELECT artifact_id FROM ${own('refs')})`)}`,
    }
  }

  /** What belongs to no dataset comes when all of them do. */
  #orElse(sql: string): string {
    return this.#all ? `UNION ALL ${sql}` : ''
  }
}
