import type { Catalog } from '@nirs-workspace/storage'
import * as z from 'zod'

const Chain = z.object({
  chain_id: z.string(),
  run_id: z.string().nullable(),
  pipeline_id: z.string().nullable(),
  dataset_name: z.string().nullable(),
  model_name: z.string().nullable(),
  model_class: z.string(),
  preprocessings: z.string(),
  metric: z.string().nullable(),
  predictions: z.number().int(),
})
export type Chain = z.infer<typeof Chain>

/** The chains of a workspace with what their predictions add (older stores name no dataset on the chain itself). By id. */
export const listChains = async (catalog: Catalog, filters: readonly (readonly [string, string])[]): Promise<Chain[]> => {
  const rows = await catalog.engine.rows(
    Chain,
    `SELECT c.chain_id, p.run_id, c.pipeline_id, coalesce(c.dataset_name, p.dataset_name) AS dataset_name,
        coalesce(c.model_name, p.model_name) AS model_name, c.model_class, c.preprocessings, coalesce(c.metric, p.metric) AS metric,
        coalesce(p.predictions, 0) AS predictions
      FROM catalog.chains c LEFT JOIN (
        SELECT chain_id, any_value(run_id) AS run_id, any_value(dataset_name) AS dataset_name, any_value(model_name) AS model_name,
          any_value(metric) AS metric, count(*) AS predictions
        FROM catalog.predictions WHERE chain_id IS NOT NULL GROUP BY chain_id
      ) p USING (chain_id) ORDER BY c.chain_id`,
  )
  const wanted = Map.groupBy(filters, ([column]) => column)
  return rows.filter((row) => [...wanted].every(([column, values]) => values.some(([, value]) => Reflect.get(row, column) === value)))
}
