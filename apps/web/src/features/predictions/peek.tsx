import { CatchBoundary } from '@tanstack/react-router'
import { X } from 'lucide-react'
import { Suspense } from 'react'
import { lazyPart } from '../../lib/lazy-part.tsx'
import { useText } from '../../text/text.tsx'
import { IconButton } from '../../ui/button.tsx'
import { RouteError } from '../../ui/route-error.tsx'
import type { PeekProps } from './peek-panel.tsx'
import { peekPlace } from './peek-place.ts'

const PeekPanel = lazyPart<PeekProps>(async () => (await import('./peek-panel.tsx')).PeekPanel)

/** Where it failed before, the next opening fetches it again. */
export const preloadPeek = (): void => void PeekPanel.preload()

/** The panel beside the table, fetched when it is first opened; that it cannot be is told in its place, and the table stays. */
export const Peek = (props: PeekProps) => (
  <CatchBoundary
    getResetKey={() => props.id}
    errorComponent={({ error, reset }) => <MissingPeek error={error} reset={reset} onClose={props.onClose} />}
  >
    <Suspense fallback={<aside className="w-104 border-l border-line bg-surface max-md:hidden" />}>
      <PeekPanel {...props} />
    </Suspense>
  </CatchBoundary>
)

const MissingPeek = ({ error, reset, onClose }: { error: unknown; reset: () => void; onClose: () => void }) => {
  const { peek, common } = useText()
  return (
    <aside aria-label={peek.label} className={peekPlace}>
      <header className="flex justify-end border-b border-line p-1.5">
        <IconButton label={common.close} onClick={onClose}>
          <X size={17} aria-hidden />
        </IconButton>
      </header>
      <RouteError error={error} reset={reset} />
    </aside>
  )
}
