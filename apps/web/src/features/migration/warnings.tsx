import type { MigrationWarning } from '@nirs-workspace/types'
import { TriangleAlert } from 'lucide-react'
import { useText } from '../../text/text.tsx'

/** What the plan or the migration met on its way, with the ids it concerns. */
export const Warnings = ({ warnings }: { warnings: readonly MigrationWarning[] }) => {
  const { migration } = useText()
  if (warnings.length === 0) return <p className="mb-4 text-muted">{migration.noWarnings}</p>
  return (
    <div className="mb-4">
      <h4 className="mb-1.5 font-semibold">{migration.warnings(warnings.length)}</h4>
      <ul className="grid grid-cols-1 gap-1.5">
        {warnings.map((warning) => (
          <li key={warning.code + warning.detail} className="rounded-md bg-warning-soft px-3 py-2">
            <p className="flex gap-2">
              <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warning" />
              {warning.detail}
            </p>
            {warning.ids.length === 0 ? null : (
              <details className="mt-1 pl-6 text-xs">
                <summary className="text-muted">{migration.warningIds(warning.ids.length)}</summary>
                <p className="max-h-40 overflow-y-auto pt-1 font-mono break-all">{warning.ids.join(', ')}</p>
              </details>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}
