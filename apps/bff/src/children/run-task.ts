import {
  buildCatalog,
  deleteBackup,
  detectStorage,
  findCatalog,
  inspectWorkspace,
  isStorageError,
  lastKnownStatus,
  migrateStatus,
  planMigration,
  resolveWorkspace,
  workspaceStats,
} from '@nirs-workspace/storage'
import type { StorageStatus } from '@nirs-workspace/types'
import type * as z from 'zod'
import { endAtOnce, followParent, tellParent } from './child-process.ts'
import { Task, type TaskAnswer } from './task-messages.ts'
import { toWireError } from './wire-error.ts'

const work = async (raw: unknown): Promise<unknown> => {
  const task = Task.parse(raw)
  switch (task.task) {
    case 'build_catalog':
      return buildCatalog(await resolveWorkspace(task.path), { cacheFolder: task.cache, evenWhenWritten: true })
    case 'storage_status':
      return storageStatus(task.path, task.cache)
    case 'inspect':
      return inspectWorkspace(task.path, { cacheFolder: task.cache, lastWhenLocked: true })
    case 'stats':
      return workspaceStats(task.path, { cacheFolder: task.cache, lastWhenLocked: true })
    case 'plan_migration':
      return planMigration(task.path)
    case 'migrate_status':
      return migrateStatus(task.path, { cacheFolder: task.cache, lastWhenLocked: true })
    case 'delete_backup':
      return deleteBackup(task.path)
  }
}

/** While somebody else holds the store, what the last catalog knew of it, naming the holder. */
const storageStatus = async (path: string, cacheFolder: string): Promise<StorageStatus> => {
  const resolved = await resolveWorkspace(path)
  try {
    return await detectStorage(resolved)
  } catch (error) {
    const { last } = await findCatalog(resolved, { cacheFolder })
    if (last === undefined || !isStorageError(error, 'store_locked')) throw error
    return lastKnownStatus(resolved, last, error)
  }
}

type Answer = z.infer<typeof TaskAnswer>

followParent(endAtOnce)
process.once('message', (raw) => {
  void work(raw)
    .then(
      (value): Answer => ({ type: 'value', value }),
      (error: unknown): Answer => ({ type: 'error', error: toWireError(error) }),
    )
    .then(tellParent)
    .then(() => process.exit(0))
})
