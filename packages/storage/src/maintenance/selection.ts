import type { MaintenanceCounts, MaintenanceItem } from '@nirs-workspace/types'
import type { TableKeys } from './metadata-store.ts'

/** A model file below artifacts/, '/' between names. */
export interface ArtifactFileToGo {
  readonly path: string
  readonly bytes: number
}

/** What a plan removes. */
export interface Selection {
  readonly tables: readonly TableKeys[]
  /** Predictions whose arrays go. */
  readonly arrays: readonly string[]
  /** Datasets whose rows leave their array file at once instead of with the next compaction. */
  readonly datasets: readonly string[]
  readonly files: readonly ArtifactFileToGo[]
}

export const nothingSelected: Selection = { tables: [], arrays: [], datasets: [], files: [] }

const counted = ['runs', 'pipelines', 'chains', 'predictions', 'artifacts', 'logs'] as const

export const countSelection = ({ tables, arrays, files }: Selection, bytes = 0): MaintenanceCounts => {
  const of = (name: string) => tables.find(({ table }) => table === name)?.keys.length ?? 0
  const all = tables.reduce((sum, { keys }) => sum + keys.length, 0)
  const known = Object.fromEntries(counted.map((table) => [table, of(table)] as const))
  return {
    runs: of('runs'),
    pipelines: of('pipelines'),
    chains: of('chains'),
    predictions: of('predictions'),
    artifacts: of('artifacts'),
    logs: of('logs'),
    other_rows: all - Object.values(known).reduce((sum, rows) => sum + rows, 0),
    arrays: arrays.length,
    files: files.length,
    bytes: bytes + files.reduce((sum, file) => sum + file.bytes, 0),
  }
}

export const itemsOf = ({ tables, arrays, files }: Selection, datasetOf: (id: string) => string | null): MaintenanceItem[] => [
  ...tables.flatMap(({ table, keys }) =>
    keys.map((id) => ({ what: 'row' as const, table, id, dataset_name: table === 'predictions' ? datasetOf(id) : null })),
  ),
  ...arrays.map((id) => ({ what: 'arrays' as const, table: null, id, dataset_name: datasetOf(id) })),
  ...files.map(({ path }) => ({ what: 'file' as const, table: null, id: path, dataset_name: null })),
]
