import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { refuseAbsent } from './refuse-absent.ts'
import { columnsFor, RunRecord } from './store-rows.ts'
import { seen } from './store-session.ts'

export interface RunLineage {
  readonly run_id: string
  readonly parent_run: string | null
  readonly derived_from_result: string | null
  readonly modifications: readonly unknown[]
  /** The parent, its parent and so on; ends where a run is no longer there. */
  readonly ancestors: readonly string[]
  /** Runs that were made from this one. */
  readonly children: readonly string[]
}

const Noted = z.object({
  lineage: z.object({
    parent_run: z.string().nullable().default(null),
    derived_from_result: z.string().nullable().default(null),
    modifications: z.array(z.unknown()).default([]),
  }),
})

/** Where a run comes from and what came of it, from the configs of the runs. Throws `run_not_found`. */
export const runLineage = async (engine: Engine, id: string): Promise<RunLineage> => {
  await refuseAbsent(engine, 'runs', id)
  const runs = await engine.rows(RunRecord, `SELECT ${columnsFor(RunRecord)} FROM ${seen('runs')} ORDER BY created_at, run_id`)
  const noted = new Map(runs.map((run) => [run.run_id, lineageOf(run.config)]))
  const own = noted.get(id) ?? lineageOf(null)
  const ancestors: string[] = []
  for (let next = own.parent_run; next !== null && next !== id && !ancestors.includes(next); next = noted.get(next)?.parent_run ?? null) {
    ancestors.push(next)
  }
  const children = [...noted].filter(([, { parent_run }]) => parent_run === id).map(([child]) => child)
  return { run_id: id, ...own, ancestors, children }
}

const lineageOf = (config: unknown): z.infer<typeof Noted>['lineage'] => {
  const parsed = Noted.safeParse(config)
  return parsed.success ? parsed.data.lineage : { parent_run: null, derived_from_result: null, modifications: [] }
}
