import type { Workspace } from '@nirs-workspace/types'

/**
 * Why what is at the place of a workspace now cannot be read; undefined while it can, and while it is gone or held by another process,
 * which have notices of their own.
 */
export const whyUnreadable = ({ exists, writer, catalog }: Workspace): string | undefined => {
  if (!exists || writer !== null) return undefined
  return catalog.state === 'failed' || catalog.state === 'stale' ? (catalog.detail ?? undefined) : undefined
}
