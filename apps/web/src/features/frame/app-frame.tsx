import type { Workspace, WorkspaceList } from '@nirs-workspace/types'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Outlet, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { isApiError } from '../../api/client.ts'
import { useEvents } from '../../api/events.ts'
import { workspacesQuery } from '../../api/queries.ts'
import { useRefreshAfterJobs } from '../../api/use-refresh-after-jobs.ts'
import { useRefreshOnReturn } from '../../api/use-refresh-on-return.ts'
import { whyUnreadable } from '../../api/why-unreadable.ts'
import { WorkspaceProvider } from '../../api/workspace.tsx'
import { useText } from '../../text/text.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import { Banners } from './banners.tsx'
import { NoWorkspace } from './no-workspace.tsx'
import { OfflineBanner } from './offline-banner.tsx'
import { Rail } from './rail.tsx'
import { TokenPage } from './token-page.tsx'
import { TopBar } from './top-bar.tsx'
import { useDocumentTitle } from './use-document-title.ts'
import { useShortcuts } from './use-shortcuts.ts'
import { VanishedBanner } from './vanished-banner.tsx'

/** Milliseconds; a wrong token is counted by the server, so not more often. */
const retryAfter = 15_000

/** Milliseconds between looks at a catalog that is being built or a workspace that is gone or unreadable; its end may come without an event. */
const waitingInterval = 3000

/** Milliseconds between looks when all is well: no event tells that a workspace has become unreadable. */
const restingInterval = 5000

/** Skip link, rail, top bar, banners, and the page inside. */
export const AppFrame = () => {
  const text = useText()
  const client = useQueryClient()
  const { workspace: asked } = useSearch({ from: '__root__' })
  const list = useQuery({
    ...workspacesQuery(),
    // A page left open comes back by itself: when the server does, or when its new start address was opened beside it.
    refetchInterval: ({ state }) => {
      if (state.status === 'error') return retryAfter
      return state.data?.rows.some(isAwaited) === true ? waitingInterval : restingInterval
    },
    refetchOnWindowFocus: ({ state }) => (state.status === 'error' ? 'always' : false),
  })
  const workspace = chosenWorkspace(list.data, asked)
  useNamedInAddress(asked, workspace)
  const locked = isApiError(list.error, 'token_required')
  // Also after a first question that nobody answered: the socket is what notices that the server is gone, and that it is back.
  useEvents(client, workspace?.id, !list.isPending && !locked)
  useRefreshOnReturn(client, workspace)
  useRefreshAfterJobs(client)
  const panels = useShortcuts()

  useDocumentTitle(workspace?.name)

  if (locked) return <TokenPage />
  return (
    <WorkspaceProvider value={workspace}>
      <a
        href="#main"
        className="absolute top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent px-3 py-2 text-accent-ink focus-visible:translate-y-0"
      >
        {text.frame.skip}
      </a>
      <div className="flex h-dvh flex-col">
        <TopBar workspace={workspace} list={list.data} panels={panels} />
        <div className="flex min-h-0 flex-1 max-sm:flex-col-reverse">
          <Rail />
          <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col outline-none">
            <OfflineBanner workspace={workspace} />
            {workspace === undefined ? (
              <div className="relative min-h-0 flex-1 overflow-y-auto">
                <Waiting error={list.error} list={list.data} retry={() => void list.refetch()} gone={asked !== undefined} />
              </div>
            ) : (
              <>
                <VanishedBanner workspace={workspace} onLook={() => void list.refetch()} />
                {workspace.exists ? <Banners workspace={workspace} /> : null}
                <div className="relative min-h-0 flex-1 overflow-y-auto" key={workspace.id}>
                  <Outlet />
                </div>
              </>
            )}
          </main>
        </div>
      </div>
    </WorkspaceProvider>
  )
}

/** Else another tab that goes to another workspace would take this one along, and a link copied here would lead there. */
const useNamedInAddress = (asked: string | undefined, workspace: Workspace | undefined): void => {
  const navigate = useNavigate()
  const unnamed = asked === undefined ? workspace?.id : undefined
  useEffect(() => {
    if (unnamed === undefined) return
    // From the path and not from the page: an address that leads nowhere has none of its own and must stay as it is.
    void navigate({
      to: '.',
      unsafeRelative: 'path',
      search: (before) => ({ ...before, workspace: unnamed }),
      hash: true,
      replace: true,
    })
  }, [navigate, unnamed])
}

const isAwaited = (workspace: Workspace): boolean =>
  !workspace.exists || workspace.catalog.state === 'building' || whyUnreadable(workspace) !== undefined

const chosenWorkspace = (list: WorkspaceList | undefined, asked: string | undefined) =>
  asked === undefined ? list?.rows.find((row) => row.current) : list?.rows.find((row) => row.id === asked)

interface WaitingProps {
  readonly error: Error | null
  readonly list: WorkspaceList | undefined
  readonly retry: () => void
  readonly gone: boolean
}

const Waiting = ({ error, list, retry, gone }: WaitingProps) => {
  if (error !== null) return <ErrorMessage error={error} onRetry={retry} />
  if (list !== undefined) return <NoWorkspace gone={gone} list={list} />
  return (
    <Loading>
      <div className="grid grid-cols-1 gap-4 p-6">
        <Skeleton className="h-8 w-64" />
        <Skeleton className="h-40 w-full" />
      </div>
    </Loading>
  )
}
