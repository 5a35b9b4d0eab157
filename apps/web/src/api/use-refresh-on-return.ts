import type { Workspace } from '@nirs-workspace/types'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { refreshAnswers, refreshWorkspace } from './events.ts'
import { whyUnreadable } from './why-unreadable.ts'

/** Nothing was shown of the workspace yet but that its first catalog is being built; no fingerprint looks like this. */
const first = 'first'

/**
 * Asks for everything of a workspace again when its catalog is another one than it was last shown from, whether by an event, by the list
 * or after a time with another workspace; and when its folder is back after it had vanished, or it can be read again. When its first
 * catalog is there, asks only for what catalogs answer.
 */
export const useRefreshOnReturn = (client: QueryClient, workspace: Workspace | undefined): void => {
  const id = workspace?.id
  const catalog = workspace === undefined ? undefined : shownCatalog(workspace)
  const shown = useRef(new Map<string, string | undefined>())
  useEffect(() => {
    if (id === undefined) return
    const isFirst = !shown.current.has(id)
    const before = shown.current.get(id)
    // One that is built anew after others were shown is no first one.
    shown.current.set(id, catalog === first && !isFirst && before !== first ? undefined : catalog)
    if (isFirst || catalog === undefined || catalog === first || catalog === before) return
    if (before === first) refreshAnswers(client, id)
    else refreshWorkspace(client, id)
  }, [client, id, catalog])
}

const shownCatalog = (workspace: Workspace): string | undefined => {
  if (!workspace.exists || whyUnreadable(workspace) !== undefined) return undefined
  return workspace.catalog.state === 'building' ? first : (workspace.catalog.fingerprint ?? 'none')
}
