import type { EmptyTrashReport } from '@nirs-workspace/types'
import { resolveMaintained } from '../maintenance/maintenance-workspace.ts'
import { underLock } from '../migration/under-lock.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { checkGiven } from '../options/check-options.ts'
import { jobId, maybeText, optionsOf } from '../options/option-schemas.ts'
import { dropOperation } from './drop-operation.ts'
import { listTrash } from './list-trash.ts'
import { readManifest } from './trash-manifest.ts'
import { refuseLinksFor, trashPlaces } from './trash-places.ts'

const Options = optionsOf<{ operation?: string; jobId: string }>({ operation: maybeText, jobId })

/**
 * Gives up one operation for good, or all of them. What interrupted jobs have left beside them goes with the recovery before. Throws
 * `trash_not_found`, `workspace_busy`.
 */
export const emptyTrash = async (path: string, options: { operation?: string; jobId: string }): Promise<EmptyTrashReport> => {
  checkGiven(Options, options)
  const { root } = await resolveMaintained(path)
  const layout = layoutOf(root)
  if (options.operation !== undefined) await readManifest(layout, options.operation)
  await refuseLinksFor(layout)
  return underLock(layout, { jobId: options.jobId, kind: 'empty_trash', name: 'job' }, async () => {
    const listed = (await listTrash(root)).rows
    const chosen = options.operation === undefined ? listed : listed.filter(({ operation_id }) => operation_id === options.operation)
    await refuseLinksFor(layout, ...chosen.map(({ operation_id }) => operation_id))
    for (const { operation_id } of chosen) await dropOperation(trashPlaces(layout, operation_id))
    return { operations: chosen.map(({ operation_id }) => operation_id), bytes_freed: chosen.reduce((sum, { bytes }) => sum + bytes, 0) }
  })
}
