import type { Workspace } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { inspectQuery } from './queries.ts'

/** How many predictions have their arrays in store.duckdb.bak only; undefined when none, or not known yet. */
export const useLostArrays = (workspace: Workspace): number | undefined => {
  const { data } = useQuery({ ...inspectQuery(workspace.id), enabled: workspace.storage_mode === 'lost_arrays' })
  return data?.findings.find(({ code, severity }) => code === 'predictions_without_arrays' && severity === 'error')?.count
}
