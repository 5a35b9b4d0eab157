import { CircleAlert, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { isApiError } from '../api/client.ts'
import { useErrorText } from '../text/error-text.ts'
import { useText } from '../text/text.tsx'
import { Button } from './button.tsx'

interface MessageProps {
  readonly icon: LucideIcon
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
  readonly tone?: 'muted' | 'danger'
  /** Where the message is the page, its title is the page's. */
  readonly whole?: boolean
}

/** The middle of a page that has nothing to show: what is the case, and what to do about it. */
export const Message = ({ icon: Icon, title, children, action, tone = 'muted', whole = false }: MessageProps) => (
  <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-6 py-14 text-center">
    <span className={`rounded-full p-3 ${tone === 'danger' ? 'bg-danger-soft text-danger' : 'bg-sunken text-muted'}`}>
      <Icon size={22} aria-hidden />
    </span>
    {whole ? <h1 className="text-lg font-semibold">{title}</h1> : <h2 className="text-lg font-semibold">{title}</h2>}
    {children === undefined ? null : <div className="max-w-full text-muted">{children}</div>}
    {action}
  </div>
)

/** What went wrong, as the server explains it, with its hint, and a way to try again. */
export const ErrorMessage = ({ error, onRetry }: { error: unknown; onRetry?: () => void }) => {
  const text = useText()
  const errorText = useErrorText()
  // The notice above the page says what happened and what to do; in every place of the page that would be too much.
  if (isApiError(error, 'workspace_not_found')) return <p className="py-10 text-center text-muted">{text.errors.vanished}</p>
  const known = isApiError(error) ? error : undefined
  const title = known?.code === 'unreachable' ? text.errors.unreachableTitle : (known?.problem?.title ?? text.errors.title)
  return (
    <div role="alert">
      <Message
        icon={CircleAlert}
        tone="danger"
        title={title}
        action={
          onRetry === undefined ? undefined : (
            <Button onClick={onRetry} tone="plain">
              {text.common.retry}
            </Button>
          )
        }
      >
        <p>{errorText(error)}</p>
        {known?.problem?.hint === undefined ? null : <p className="mt-1">{known.problem.hint}</p>}
        {known?.problem === undefined ? null : <p className="mt-2 font-mono text-xs">{text.errors.reference(known.problem.request_id)}</p>}
      </Message>
    </div>
  )
}

/** Grey blocks in the place of content on its way. */
export const Skeleton = ({ className }: { className: string }) => <div aria-hidden className={`skeleton ${className}`} />

export const Loading = ({ children }: { children: ReactNode }) => {
  const text = useText()
  return (
    <div role="status" aria-busy="true">
      <span className="sr-only">{text.common.loading}</span>
      {children}
    </div>
  )
}
