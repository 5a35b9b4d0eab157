import type { Workspace } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Database, Search } from 'lucide-react'
import { overviewQuery } from '../../api/queries.ts'
import { longestSearch } from '../../lib/url-search.ts'
import { paths } from '../../paths.ts'
import { lastColumns } from '../../stores/last-columns.ts'
import { useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import type { PaletteEntry } from './palette-entry.ts'

/** The datasets of the present workspace; each leads to its predictions. */
export const useDatasetEntries = (workspace: Workspace | undefined): readonly PaletteEntry[] => {
  const text = useText()
  const navigate = useNavigate()
  const usable = workspace?.exists === true
  const { data } = useQuery({ ...overviewQuery(workspace?.id ?? ''), enabled: usable })
  if (!usable || data === undefined) return []
  return data.datasets.map(({ dataset_name: name, predictions }) => ({
    id: `dataset ${name}`,
    label: datasetLabel(name, text),
    detail: text.common.predictions(predictions),
    icon: Database,
    leaves: true,
    run: () => void navigate({ to: paths.predictions, search: { ...lastColumns(), dataset_name: [name] } }),
  }))
}

/** Looks for the words themselves among all predictions. */
export const useSearchEntry = (workspace: Workspace | undefined, query: string): PaletteEntry | undefined => {
  const { palette } = useText()
  const navigate = useNavigate()
  const words = query.trim().slice(0, longestSearch)
  if (workspace?.exists !== true || words === '') return undefined
  return {
    id: 'search',
    label: palette.search(words),
    icon: Search,
    leaves: true,
    run: () => void navigate({ to: paths.predictions, search: { ...lastColumns(), q: words } }),
  }
}
