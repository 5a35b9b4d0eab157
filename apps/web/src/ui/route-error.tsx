import { Unplug } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useConnection } from '../api/connection.ts'
import { PartMissing, retryParts } from '../lib/lazy-part.tsx'
import { useText } from '../text/text.tsx'
import { Button } from './button.tsx'
import { ErrorMessage, Message } from './states.tsx'

/** In the place of a page that failed; the frame around it stays. */
export const RouteError = ({ error, reset }: { error: unknown; reset: () => void }) => {
  const { errors, common } = useText()
  const offline = useConnection() === 'offline'
  const retry = (): void => {
    retryParts()
    reset()
  }
  useRetryOnReturn(error instanceof PartMissing ? retry : undefined)
  if (!(error instanceof PartMissing)) return <ErrorMessage error={error} onRetry={retry} />
  return (
    <div role="alert">
      <Message
        icon={Unplug}
        tone="danger"
        title={errors.partTitle}
        action={
          <div className="flex gap-2">
            <Button tone="primary" onClick={retry}>
              {common.retry}
            </Button>
            {/* Without a server a reload would leave the app for the browser's own error page. */}
            {offline ? null : <Button onClick={() => location.reload()}>{errors.reload}</Button>}
          </div>
        }
      >
        <p>{errors.part}</p>
      </Message>
    </div>
  )
}

/** Tries by itself when the server is back. */
const useRetryOnReturn = (retry: (() => void) | undefined): void => {
  const connection = useConnection()
  const before = useRef(connection)
  useEffect(() => {
    const isBack = before.current === 'offline' && connection !== 'offline'
    before.current = connection
    if (isBack) retry?.()
  }, [connection, retry])
}
