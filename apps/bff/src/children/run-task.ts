import {
  buildCatalog,
  deleteBackup,
  detectStorage,
  inspectWorkspace,
  migrateStatus,
  planMigration,
  resolveWorkspace,
  workspaceStats,
} from '@nirs-workspace/storage'
import type * as z from 'zod'
import { followParent, tellParent } from './child-process.ts'
import { Task, type TaskAnswer } from './task-messages.ts'
import { toWireError } from './wire-error.ts'

const work = async (task: Task): Promise<unknown> => {
  switch (task.task) {
    case 'build_catalog':
      return buildCatalog(await resolveWorkspace(task.path), { cacheFolder: task.cache })
    case 'storage_status':
      return detectStorage(await resolveWorkspace(task.path))
    case 'inspect':
      return inspectWorkspace(await resolveWorkspace(task.path))
    case 'stats':
      return workspaceStats(await resolveWorkspace(task.path))
    case 'plan_migration':
      return planMigration(task.path)
    case 'migrate_status':
      return migrateStatus(task.path)
    case 'delete_backup':
      return deleteBackup(task.path)
  }
}

type Answer = z.infer<typeof TaskAnswer>

followParent(() => process.exit(0))
process.once('message', (raw) => {
  void work(Task.parse(raw))
    .then(
      (value): Answer => ({ type: 'value', value }),
      (error: unknown): Answer => ({ type: 'error', error: toWireError(error) }),
    )
    .then(tellParent)
    .then(() => process.exit(0))
})
