import type { Workspace } from '@nirs-workspace/types'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { refreshWorkspace } from './events.ts'

/** Asks for everything of a workspace again when its folder is back after it had vanished. */
export const useRefreshOnReturn = (client: QueryClient, workspace: Workspace | undefined): void => {
  const { id, exists } = workspace ?? {}
  const missing = useRef<string>(undefined)
  useEffect(() => {
    if (id === undefined) return
    const isBack = exists === true && missing.current === id
    missing.current = exists === false ? id : undefined
    if (isBack) refreshWorkspace(client, id)
  }, [client, id, exists])
}
