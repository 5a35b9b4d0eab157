import type { Jobs } from '../jobs/jobs.ts'
import type { Log } from '../log.ts'
import type { ArrayReaderProcess } from '../processes/array-reader-process.ts'
import type { ExportFiles } from '../processes/export-files.ts'
import type { Tasks } from '../processes/tasks.ts'
import type { OrderAhead } from '../workspaces/order-ahead.ts'
import type { WorkspaceFacts } from '../workspaces/workspace-facts.ts'
import type { Workspaces } from '../workspaces/workspaces.ts'
import type { Telling } from './telling.ts'

/** All that a route may use. Built once by `createDeps`; tests build their own. */
export interface AppDeps {
  workspaces: Workspaces
  facts: WorkspaceFacts
  jobs: Jobs
  tasks: Tasks
  arrays: ArrayReaderProcess
  exports: ExportFiles
  orders: OrderAhead
  log: Log
  telling: Telling
  /** Folder of the built app. */
  webFolder: string
  /** No job that changes a workspace is taken. */
  readOnly: boolean
  methodsAt: (pathname: string) => readonly string[] | undefined
}
