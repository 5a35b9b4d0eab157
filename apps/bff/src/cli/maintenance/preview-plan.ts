import { ArrayStore, type MadePlan } from '@nirs-workspace/storage'
import type { MaintenanceItem, MaintenancePlan, MaintenanceReport } from '@nirs-workspace/types'

/** A plan as this program shows it: its report's fields beside its own, and some of what it lists instead of everything. */
export type PlanPreview = Omit<MaintenancePlan, 'report'> &
  MaintenanceReport & {
    /** What the arrays that go take in their files, by their share of the rows. */
    array_bytes_estimated: number
    examples: MaintenanceItem[]
  }

const mostExamples = 8

export const previewPlan = async (root: string, { items, report, ...plan }: MadePlan): Promise<PlanPreview> => ({
  ...plan,
  ...report,
  array_bytes_estimated: await estimateArrayBytes(root, items),
  examples: chooseExamples(items),
})

const estimateArrayBytes = async (root: string, items: readonly MaintenanceItem[]): Promise<number> => {
  const arrays = items.filter(({ what }) => what === 'arrays')
  if (arrays.length === 0) return 0
  const { datasets } = await ArrayStore.open(root).stats()
  const perRow = new Map(datasets.map(({ name, rows, bytes }) => [name, bytes / Math.max(1, rows)]))
  return Math.round(arrays.reduce((sum, { dataset_name }) => sum + (perRow.get(dataset_name ?? '') ?? 0), 0))
}

/** Some of every kind, the first kinds first. */
const chooseExamples = (items: readonly MaintenanceItem[]): MaintenanceItem[] => {
  const kinds = [...Map.groupBy(items, ({ what, table }) => `${what} ${table ?? ''}`).values()]
  const each = Math.max(1, Math.floor(mostExamples / Math.max(1, kinds.length)))
  return kinds.flatMap((kind) => kind.slice(0, each)).slice(0, mostExamples)
}
