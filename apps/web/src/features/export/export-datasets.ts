import type { DatasetInfo, Facets, OverviewResponse, UnreadableFile } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { facetsQuery, overviewQuery, statsQuery } from '../../api/queries.ts'

export interface ExportDataset {
  readonly name: string
  readonly predictions: number
  /** Bytes of its arrays; undefined while nobody has said. */
  readonly bytes: number | undefined
  readonly estimated: boolean
  /** The file of its arrays is known to be damaged or not there. */
  readonly unreadable: boolean
}

type Measured = Omit<ExportDataset, 'unreadable'>

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
  const found = stats.data?.datasets.map(measured) ?? fromFacets(facets.data) ?? fromOverview(overview.data)
  const isUnreadable = unreadableIn(stats.data?.unreadable_files ?? overview.data?.unreadable_files ?? [])
  const datasets = found?.map((dataset): ExportDataset => ({ ...dataset, unreadable: isUnreadable(dataset.name) }))
  return { datasets, error: stats.error, retry: () => void stats.refetch() }
}

/** What is chosen before anybody chooses: of several, those that can be read. */
export const offered = (datasets: readonly ExportDataset[], wanted: readonly string[] | undefined): string[] => {
  const candidates = datasets.filter(({ name }) => wanted?.includes(name) ?? true)
  const readable = candidates.filter(({ unreadable }) => !unreadable)
  return (candidates.length > 1 ? readable : candidates).map(({ name }) => name)
}

const unreadableIn = (files: readonly UnreadableFile[]): ((name: string) => boolean) => {
  const names = new Set(files.flatMap((file) => file.datasets))
  return (name) => names.has(name)
}

const measured = ({ name, predictions, bytes, bytes_are_estimate, parquet_bytes }: DatasetInfo): Measured => ({
  name,
  predictions,
  bytes: bytes ?? (parquet_bytes === 0 ? undefined : parquet_bytes),
  estimated: bytes_are_estimate === true,
})

/** Only the whole list will do. */
const fromFacets = (facets: Facets | undefined): Measured[] | undefined => {
  const names = facets?.facets.dataset_name
  if (names === undefined || names.values.length < names.distinct) return undefined
  return names.values.map(({ value, count }) => unmeasured(value ?? '', count)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const fromOverview = (overview: OverviewResponse | undefined): Measured[] | undefined =>
  overview?.datasets.map(({ dataset_name, predictions }) => unmeasured(dataset_name, predictions))

const unmeasured = (name: string, predictions: number): Measured => ({ name, predictions, bytes: undefined, estimated: false })
