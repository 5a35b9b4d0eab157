import type { Catalog } from '@nirs-workspace/storage'
import type { DatasetInfo } from '@nirs-workspace/types'
import * as z from 'zod'

/** Bytes of a Parquet file per row and per sample, compressed: halfway between what real workspaces and the demo come to. */
const perFile = 5000
const perRow = 40
const perSample: Readonly<Record<string, number>> = { binary_classification: 12, multiclass_classification: 24 }
const perRegressionSample = 4.5

const Share = z.object({ name: z.string(), task_type: z.string(), rows: z.number(), samples: z.number() })

/** Rows whose arrays lie in a store, where nothing tells their bytes, by dataset and task. */
const sql = `SELECT dataset_name AS name, task_type, count(*) AS rows, coalesce(sum(n_samples), 0)::BIGINT AS samples
  FROM catalog.predictions WHERE array_source IN ('table', 'bak') GROUP BY ALL`

/** Adds to each dataset what it would come to as a Parquet file: its share of the files there are, and an estimate for the rest. */
export const withBytes = async (catalog: Catalog, datasets: readonly DatasetInfo[]): Promise<DatasetInfo[]> => {
  const shares = Map.groupBy(await catalog.engine.rows(Share, sql), ({ name }) => name)
  return datasets.map((dataset) => {
    const inStore = shares.get(dataset.name)
    const bytes = dataset.parquet_bytes + (inStore === undefined ? 0 : perFile + inStore.reduce((sum, share) => sum + bytesOf(share), 0))
    return { ...dataset, bytes: Math.round(bytes), bytes_are_estimate: inStore !== undefined }
  })
}

const bytesOf = ({ task_type, rows, samples }: z.output<typeof Share>): number =>
  rows * perRow + samples * (perSample[task_type] ?? perRegressionSample)
