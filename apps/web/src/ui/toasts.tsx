import { X } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import { dismissToast, useToasts } from '../stores/toast.ts'
import { useText } from '../text/text.tsx'
import { IconButton } from './button.tsx'

const borders = { success: 'border-line-strong', danger: 'border-danger', warning: 'border-warning', info: 'border-line-strong' } as const

/** Short messages at the bottom; announced politely, never in the way of keys. */
export const Toasts = () => {
  const text = useText()
  const toasts = useToasts()
  return (
    <div aria-live="polite" className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-center gap-2">
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={classNames(
            'pointer-events-auto flex max-w-xl items-center gap-3 rounded-lg border bg-raised py-1.5 pr-1.5 pl-4 shadow-pop',
            borders[toast.tone],
          )}
        >
          <span>{toast.message}</span>
          <IconButton label={text.common.close} onClick={() => dismissToast(toast.id)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      ))}
    </div>
  )
}
