import type { Workspace } from '@nirs-workspace/types'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { refreshWorkspace } from './events.ts'
import { whyUnreadable } from './why-unreadable.ts'

/** Asks for everything of a workspace again when its folder is back after it had vanished, or when it can be read again. */
export const useRefreshOnReturn = (client: QueryClient, workspace: Workspace | undefined): void => {
  const id = workspace?.id
  const state = workspace === undefined ? 'away' : stateOf(workspace)
  const away = useRef<string>(undefined)
  useEffect(() => {
    if (id === undefined || (state === 'building' && away.current === id)) return
    const isBack = state === 'there' && away.current === id
    away.current = state === 'away' ? id : undefined
    if (isBack) refreshWorkspace(client, id)
  }, [client, id, state])
}

const stateOf = (workspace: Workspace): 'away' | 'building' | 'there' => {
  if (!workspace.exists || whyUnreadable(workspace) !== undefined) return 'away'
  return workspace.catalog.state === 'building' ? 'building' : 'there'
}
