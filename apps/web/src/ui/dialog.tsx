import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { useText } from '../text/text.tsx'

interface DialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  readonly description?: string
  readonly wide?: boolean
  /** At the right edge over the whole height, instead of in the middle. */
  readonly drawer?: boolean
  readonly children: ReactNode
  readonly footer?: ReactNode
}

/** A modal dialog: focus stays inside, Esc closes it and focus returns to where it was. */
export const Dialog = ({ open, onClose, title, description, wide = false, drawer = false, children, footer }: DialogProps) => {
  const text = useText()
  return (
    <Base.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/45" />
        <Base.Popup
          data-modal=""
          className={classNames(
            'fixed z-50 flex flex-col border-line bg-raised text-ink shadow-pop',
            drawer
              ? 'inset-y-0 right-0 w-md max-w-full border-l'
              : 'top-1/2 left-1/2 max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 rounded-xl border',
            drawer ? '' : wide ? 'max-w-3xl' : 'max-w-lg',
          )}
        >
          <header className="flex items-start gap-4 border-b border-line py-3 pr-2 pl-5">
            <div className="min-w-0 flex-1 pt-1">
              <Base.Title className="text-lg leading-6 font-semibold">{title}</Base.Title>
              {description === undefined ? null : <Base.Description className="text-muted">{description}</Base.Description>}
            </div>
            <Base.Close
              aria-label={text.common.close}
              className="inline-flex size-9 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
            >
              <X size={18} aria-hidden />
            </Base.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
          {footer === undefined ? null : (
            <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
