import { listTrash, StorageError } from '@nirs-workspace/storage'
import type { TrashEntry } from '@nirs-workspace/types'

/** What the trash holds under a name. Throws `trash_not_found`. */
export const findOperation = async (path: string, operation: string): Promise<TrashEntry> => {
  const found = (await listTrash(path)).rows.find(({ operation_id }) => operation_id === operation)
  if (found !== undefined) return found
  throw new StorageError(
    'trash_not_found',
    `The trash holds no operation ${JSON.stringify(operation.slice(0, 200))}. Nothing was changed.`,
    {
      hint: 'See what it holds with trash.',
    },
  )
}
