import { StorageError } from '../errors.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

/** Plan ids begin with the state they were made from, so that a run can tell a stale one without planning again. */
export const planIdOf = (fingerprint: string, digest: string): string => `${fingerprint}-${digest.slice(0, 16)}`

/**
 * Refuses the id of a migration plan that is none, or not one of the workspace as it is now. Looks at sizes and times of files only: it
 * opens none and waits for no lock. Throws `plan_stale`.
 */
export const refuseStalePlan = async (workspace: ResolvedWorkspace, planId: string): Promise<void> => {
  if (/^[0-9a-f]{32}-[0-9a-f]{16}$/.test(planId) && planId.startsWith(`${await fingerprintWorkspace(workspace)}-`)) return
  throw new StorageError('plan_stale', 'This is not a plan of the workspace as it is now. Nothing was changed.', {
    hint: 'Look at a new preview and start again from there.',
  })
}
