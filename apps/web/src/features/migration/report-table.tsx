import type { MigrationReport } from '@nirs-workspace/types'
import { Check, X } from 'lucide-react'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'

/** Each dataset with the checksum of its values, which must be the same on both sides. */
export const ReportTable = ({ report }: { report: MigrationReport }) => {
  const text = useText()
  const { migration } = text
  const format = useFormat()
  const names = migration.table
  return (
    <details>
      <summary className="font-semibold">{migration.datasets}</summary>
      <div className="mt-2 overflow-x-auto">
        <table className="w-full min-w-2xl text-right">
          <thead className="text-xs text-muted">
            <tr>
              {[names.dataset, names.rows, names.values, names.after].map((name) => (
                <th key={name} scope="col" className="py-1 font-semibold first:text-left">
                  {name}
                </th>
              ))}
              <th scope="col" className="pl-6 text-left font-semibold">
                {migration.sha}
              </th>
            </tr>
          </thead>
          <tbody>
            {report.datasets.map((dataset) => {
              const equal = dataset.source_sha256 === dataset.parquet_sha256
              return (
                <tr key={dataset.name} className="border-t border-line">
                  <th scope="row" className="py-1 text-left font-medium">
                    {datasetLabel(dataset.name, text)}
                  </th>
                  <td>{format.int(dataset.rows)}</td>
                  <td>{format.int(dataset.values)}</td>
                  <td>{format.bytes(dataset.bytes)}</td>
                  <td className="pl-6 text-left font-mono text-xs" title={dataset.parquet_sha256}>
                    <span className="inline-flex items-center gap-1.5">
                      {equal ? (
                        <Check size={14} aria-hidden className="text-success" />
                      ) : (
                        <X size={14} aria-hidden className="text-danger" />
                      )}
                      {dataset.parquet_sha256.slice(0, 16)}…
                    </span>
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </details>
  )
}
