import type { WorkspaceStats } from '@nirs-workspace/types'
import type { ReactNode } from 'react'
import { useFormat, useText } from '../text/text.tsx'

/** Shades in the order of the categories; every part also has its name and size in the list below. */
const fills: Record<string, string> = {
  Store: 'var(--accent)',
  'Prediction arrays': 'var(--train)',
  Artifacts: 'var(--val)',
  Backups: 'var(--test)',
  Trash: 'var(--danger)',
  Logs: 'var(--muted)',
}

const fillOf = (category: string): string => fills[category] ?? 'var(--line-strong)'

/** Where the bytes of a workspace are. */
export const SpaceBar = ({ stats, children }: { stats: WorkspaceStats; children?: ReactNode }) => {
  const { storage } = useText()
  const format = useFormat()
  const parts = stats.space_usage.filter((part) => part.bytes > 0)
  const name = (category: string): string => Object.entries(storage.categories).find(([key]) => key === category)?.[1] ?? category
  return (
    <div>
      <div
        role="img"
        aria-label={`${storage.chart}: ${parts.map((part) => `${name(part.category)} ${format.bytes(part.bytes)}`).join(', ')}`}
        className="flex h-4 gap-px overflow-hidden rounded bg-sunken"
      >
        {parts.map((part) => (
          <span
            key={part.category}
            title={`${name(part.category)}: ${format.bytes(part.bytes)}`}
            className="min-w-1"
            style={{ flexGrow: part.bytes, background: fillOf(part.category) }}
          />
        ))}
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1">
        {parts.map((part) => (
          <li key={part.category} className="flex items-center gap-1.5">
            <span aria-hidden className="size-2.5 rounded-sm" style={{ background: fillOf(part.category) }} />
            <span className="text-muted">{name(part.category)}</span>
            <span className="font-medium">{format.bytes(part.bytes)}</span>
          </li>
        ))}
      </ul>
      {children}
    </div>
  )
}
