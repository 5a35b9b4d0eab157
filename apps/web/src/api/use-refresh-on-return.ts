import type { Workspace } from '@nirs-workspace/types'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { refreshWorkspace } from './events.ts'
import { whyUnreadable } from './why-unreadable.ts'

/**
 * Asks for everything of a workspace again when its catalog is another one than it was last shown from, whether by an event, by the list
 * or after a time with another workspace; and when its first catalog is there, its folder is back after it had vanished, or it can be read
 * again.
 */
export const useRefreshOnReturn = (client: QueryClient, workspace: Workspace | undefined): void => {
  const id = workspace?.id
  const catalog = workspace !== undefined && isThere(workspace) ? (workspace.catalog.fingerprint ?? 'none') : undefined
  const shown = useRef(new Map<string, string | undefined>())
  useEffect(() => {
    if (id === undefined) return
    const isFirst = !shown.current.has(id)
    const before = shown.current.get(id)
    shown.current.set(id, catalog)
    if (!isFirst && catalog !== undefined && catalog !== before) refreshWorkspace(client, id)
  }, [client, id, catalog])
}

const isThere = (workspace: Workspace): boolean =>
  workspace.exists && workspace.catalog.state !== 'building' && whyUnreadable(workspace) === undefined
