import type { EmptyTrashReport } from '@nirs-workspace/types'
import { exists } from '../files/move-file.ts'
import { resolveMaintained } from '../maintenance/maintenance-workspace.ts'
import { underLock } from '../migration/under-lock.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { checkGiven } from '../options/check-options.ts'
import { jobId, maybeText, optionsOf } from '../options/option-schemas.ts'
import { dropOperation } from './drop-operation.ts'
import { listTrash } from './list-trash.ts'
import { notInTrash, refuseLinksFor, trashPlaces } from './trash-places.ts'

const Options = optionsOf<{ operation?: string; jobId: string }>({ operation: maybeText, jobId })

/**
 * Gives up one operation for good, or all of them but those whose manifest cannot be read: these go by their names only. What interrupted
 * jobs have left beside them goes with the recovery before. Throws `trash_not_found`, `workspace_busy`.
 */
export const emptyTrash = async (path: string, options: { operation?: string; jobId: string }): Promise<EmptyTrashReport> => {
  checkGiven(Options, options)
  const { root } = await resolveMaintained(path)
  const layout = layoutOf(root)
  if (options.operation !== undefined && !(await exists(trashPlaces(layout, options.operation).manifest)))
    throw notInTrash(options.operation)
  await refuseLinksFor(layout)
  return underLock(layout, { jobId: options.jobId, kind: 'empty_trash', name: 'job' }, async () => {
    const listed = (await listTrash(root)).rows
    const named = options.operation
    const chosen = listed.filter(({ operation_id, damaged }) => (named === undefined ? !damaged : operation_id === named))
    await refuseLinksFor(layout, ...chosen.map(({ operation_id }) => operation_id))
    for (const { operation_id } of chosen) await dropOperation(trashPlaces(layout, operation_id))
    return {
      operations: chosen.map(({ operation_id }) => operation_id),
      damaged: named === undefined ? listed.filter(({ damaged }) => damaged).map(({ operation_id }) => operation_id) : [],
      bytes_freed: chosen.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  })
}
