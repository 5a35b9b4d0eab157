import type { MigrationPlan } from '@nirs-workspace/types'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'

export const PlanTable = ({ plan }: { plan: MigrationPlan }) => {
  const { migration } = useText()
  const names = migration.table
  return (
    <div className="overflow-x-auto">
      <table className="w-full min-w-2xl text-right">
        <thead className="text-xs text-muted">
          <tr>
            <th scope="col" className="py-1.5 text-left font-semibold">
              {names.dataset}
            </th>
            {[names.rows, names.values, names.now, names.after].map((name) => (
              <th key={name} scope="col" className="font-semibold">
                {name}
              </th>
            ))}
            <th scope="col" className="pl-6 text-left font-semibold">
              {names.file}
            </th>
          </tr>
        </thead>
        <tbody>
          {plan.datasets.map((dataset) => (
            <PlanRow key={dataset.name} dataset={dataset} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

const PlanRow = ({ dataset }: { dataset: MigrationPlan['datasets'][number] }) => {
  const text = useText()
  const { migration } = text
  const format = useFormat()
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="max-w-64 py-1.5 text-left font-medium break-words">
        {datasetLabel(dataset.name, text)}
        {dataset.rows_already_there === 0 ? null : (
          <p className="text-xs font-normal text-muted">{migration.alreadyThere(dataset.rows_already_there)}</p>
        )}
      </th>
      <td className="py-1.5">{format.int(dataset.rows)}</td>
      <td className="py-1.5">{format.int(dataset.values)}</td>
      <td className="py-1.5">{format.bytes(dataset.bytes_now)}</td>
      <td className="py-1.5">{format.bytes(dataset.bytes_estimated)}</td>
      <td className="py-1.5 pl-6 text-left break-all">
        <span className="font-mono text-xs">{dataset.file}</span>
        {dataset.shares_file_with.length === 0 ? null : (
          <p className="text-xs text-warning">
            {migration.sharesFile(dataset.shares_file_with.map((name) => datasetLabel(name, text)).join(', '))}
          </p>
        )}
      </td>
    </tr>
  )
}
