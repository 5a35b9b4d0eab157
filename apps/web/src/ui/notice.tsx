import { CircleAlert, Info, type LucideIcon, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { toneClass } from './badge.tsx'

type NoticeTone = 'info' | 'warning' | 'danger' | 'success'

const icons: Record<NoticeTone, LucideIcon> = { info: Info, success: Info, warning: TriangleAlert, danger: CircleAlert }

/** A line or two in colour that the reader should not miss, with what to do at its end. */
export const Notice = ({
  tone,
  children,
  actions,
  flat = false,
}: {
  tone: NoticeTone
  children: ReactNode
  actions?: ReactNode
  flat?: boolean
}) => {
  const Icon = icons[tone]
  return (
    <div
      className={classNames('flex flex-wrap gap-x-3 gap-y-2 px-4 py-2', toneClass[tone], flat ? 'items-center' : 'items-start rounded-lg')}
    >
      <Icon size={17} aria-hidden className={flat ? 'shrink-0' : 'mt-0.5 shrink-0'} />
      <div className="min-w-0 flex-1 basis-56 self-center text-ink">{children}</div>
      {actions === undefined ? null : <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  )
}

/** A command to be typed, inside a sentence. */
export const CommandText = ({ children }: { children: string }) => (
  <code className="inline-block max-w-full rounded bg-surface px-1.5 font-mono text-xs break-all">{children}</code>
)
