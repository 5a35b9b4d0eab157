import { exists } from '../files/move-file.ts'
import { toWriteError } from '../files/write-error.ts'
import { tellWarnings } from '../migration/tell-warnings.ts'
import { layoutOf } from '../migration/workspace-layout.ts'

/**
 * Finishes or undoes what a job that died has left, for whoever has just taken the lock: it could take away again what is changed before.
 * What that needs is loaded only then.
 */
export const settleLeftJob = async (root: string): Promise<void> => {
  const layout = layoutOf(root)
  if (!(await exists(layout.journal))) return
  const { recoverUnderLock } = await import('../migration/recover-workspace.ts')
  try {
    tellWarnings((await recoverUnderLock(layout)).warnings ?? [])
  } catch (error) {
    throw toWriteError(error, 'An unfinished job could not be put in order, and nothing else was changed.')
  }
}
