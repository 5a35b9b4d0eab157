import { CatchBoundary } from '@tanstack/react-router'
import { type ReactNode, Suspense } from 'react'
import { Dialog } from './dialog.tsx'
import { RouteError } from './route-error.tsx'

interface DialogPartProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Around a dialog that is fetched when it is first opened: that it cannot be is told in its place, and the page stays. */
export const DialogPart = ({ title, onClose, children }: DialogPartProps) => (
  <CatchBoundary
    getResetKey={() => ''}
    errorComponent={({ error, reset }) => (
      <Dialog open onClose={onClose} title={title}>
        <RouteError error={error} reset={reset} />
      </Dialog>
    )}
  >
    <Suspense fallback={null}>{children}</Suspense>
  </CatchBoundary>
)
