import * as z from 'zod'
import type { ContextsOf } from '../array-store/ask-contexts.ts'
import type { Engine } from '../engine/open-engine.ts'

const Known = z.object({
  prediction_id: z.string(),
  branch_name: z.string().nullable(),
  refit_context: z.string().nullable(),
  created_at: z.string().nullable(),
})

/** What a table of predictions says that their array files have no columns for. */
export const knownContexts =
  (engine: Engine, predictions: string): ContextsOf =>
  async (ids) => {
    const rows = await engine.rows(
      Known,
      `SELECT prediction_id, branch_name, refit_context, created_at::VARCHAR AS created_at FROM ${predictions}
       WHERE prediction_id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`,
      { ids: JSON.stringify(ids) },
    )
    return new Map(rows.map(({ prediction_id, ...context }) => [prediction_id, context]))
  }
