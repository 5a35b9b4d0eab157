import type { DatasetInfo, Facets, OverviewResponse } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { facetsQuery, overviewQuery, statsQuery } from '../../api/queries.ts'

export interface ExportDataset {
  readonly name: string
  readonly predictions: number
  /** Bytes of its arrays; undefined while nobody has said. */
  readonly bytes: number | undefined
  readonly estimated: boolean
}

interface ExportDatasets {
  readonly datasets: readonly ExportDataset[] | undefined
  readonly error: Error | null
  readonly retry: () => void
}

/** What can be exported: names and counts at once from what other pages have asked for, sizes when the store has been looked at. */
export const useExportDatasets = (workspace: string): ExportDatasets => {
  const stats = useQuery(statsQuery(workspace))
  const facets = useQuery(facetsQuery(workspace, {}))
  const overview = useQuery({ ...overviewQuery(workspace), enabled: false })
  const datasets = stats.data?.datasets.map(measured) ?? fromFacets(facets.data) ?? fromOverview(overview.data)
  return { datasets, error: stats.error, retry: () => void stats.refetch() }
}

const measured = ({ name, predictions, bytes, bytes_are_estimate, parquet_bytes }: DatasetInfo): ExportDataset => ({
  name,
  predictions,
  bytes: bytes ?? (parquet_bytes === 0 ? undefined : parquet_bytes),
  estimated: bytes_are_estimate === true,
})

/** Only the whole list will do. */
const fromFacets = (facets: Facets | undefined): ExportDataset[] | undefined => {
  const names = facets?.facets.dataset_name
  if (names === undefined || names.values.length < names.distinct) return undefined
  return names.values.map(({ value, count }) => unmeasured(value ?? '', count)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const fromOverview = (overview: OverviewResponse | undefined): ExportDataset[] | undefined =>
  overview?.datasets.map(({ dataset_name, predictions }) => unmeasured(dataset_name, predictions))

const unmeasured = (name: string, predictions: number): ExportDataset => ({ name, predictions, bytes: undefined, estimated: false })
