import type { MigrationPlan } from '@nirs-workspace/types'
import { useFormat, useText } from '../../text/text.tsx'

export const PlanTotals = ({ plan }: { plan: MigrationPlan }) => {
  const { migration } = useText()
  const format = useFormat()
  const names = migration.totals
  const figures: readonly (readonly [string, string])[] = [
    [names.rows, format.int(plan.total_rows)],
    [names.duration, format.duration(plan.estimated_duration_seconds)],
    [names.size, `${format.bytes(plan.duckdb_size_before)} → ${format.bytes(plan.duckdb_size_estimated)}`],
    [names.parquet, format.bytes(plan.parquet_bytes_estimated)],
    [names.space, migration.space(plan.free_bytes_needed, plan.free_bytes_available)],
    ...(plan.quarantine_rows === 0 ? [] : [[names.quarantine, format.int(plan.quarantine_rows)] as const]),
  ]
  return <Figures figures={figures} />
}

export const Figures = ({ figures }: { figures: readonly (readonly [string, string])[] }) => (
  <dl className="mb-4 grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3">
    {figures.map(([name, value]) => (
      <div key={name}>
        <dt className="text-xs text-muted">{name}</dt>
        <dd className="text-base font-semibold">{value}</dd>
      </div>
    ))}
  </dl>
)
