import { homedir, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import * as z from 'zod'
import { EventHub } from '../events/event-hub.ts'
import { builtApp, type UserFolders } from '../folders.ts'
import { JobFiles } from '../jobs/job-files.ts'
import type { StartJobProcess } from '../jobs/job-process.ts'
import { isTerminal } from '../jobs/job-record.ts'
import { Jobs } from '../jobs/jobs.ts'
import { RecoveryWatch } from '../jobs/recovery-watch.ts'
import type { Log } from '../log.ts'
import { ArrayReaderProcess } from '../processes/array-reader-process.ts'
import { ExportFiles } from '../processes/export-files.ts'
import { Tasks } from '../processes/tasks.ts'
import { Turns } from '../processes/turns.ts'
import { allRoutes } from '../routes/all-routes.ts'
import { methodFinder } from '../routes/find-route.ts'
import { OrderAhead } from '../workspaces/order-ahead.ts'
import { ReaderAhead } from '../workspaces/reader-ahead.ts'
import { Recents } from '../workspaces/recents.ts'
import { WorkspaceFacts } from '../workspaces/workspace-facts.ts'
import { Workspaces } from '../workspaces/workspaces.ts'
import type { AppDeps } from './app-deps.ts'
import { tellAll, tellWithoutPaths } from './telling.ts'

export interface DepsOptions {
  folders: UserFolders
  log: Log
  readOnly?: boolean
  /** Get ready for the first click on a row when nothing else is to do. */
  readAhead?: boolean
  /** Other machines are answered: they hear of no absolute path. */
  isNetwork?: boolean
  /** Only workspaces inside this folder may be opened, and only their jobs are known; a path without links. */
  workspaceRoot?: string | undefined
  /** Default: the built app of this repository. */
  webFolder?: string
  startJob?: StartJobProcess
}

export interface Services extends AppDeps {
  hub: EventHub
  close(): Promise<void>
}

const CatalogFile = z.object({ path: z.string(), fingerprint: z.string(), built_at: z.string() })

const ownFolders = ({ cache, config, state }: UserFolders): string[] => [cache, config, state, homedir(), tmpdir(), dirname(builtApp)]

/** Everything behind the server, wired together. `close` stops jobs and children and lets go of all files. */
export const createDeps = (options: DepsOptions): Services => {
  const { folders, log } = options
  const jobs = new Jobs(new JobFiles(folders.state), log, options.startJob, options.workspaceRoot)
  const telling = options.isNetwork === true ? tellWithoutPaths({ root: options.workspaceRoot, hidden: ownFolders(folders) }) : tellAll
  const hub = new EventHub(jobs, telling)
  // Several workspaces opened together take turns: builders share the cores with the user's own work.
  const builders = new Turns(1)
  const tasks = new Tasks()
  const arrays = new ArrayReaderProcess(log)
  const reader = new ReaderAhead(arrays, log)
  const recovery = new RecoveryWatch(jobs, log)
  const workspaces = new Workspaces({
    cacheFolder: folders.cache,
    recents: new Recents(folders.config, log),
    log,
    root: options.workspaceRoot,
    publish: (change) => hub.publish(change),
    build: (path, signal) =>
      builders.run(() => tasks.run({ task: 'build_catalog', path, cache: folders.cache }, CatalogFile, signal), signal),
    isBusy: (root) => (jobs.runningOn(root)?.kind ?? 'verify') !== 'verify',
    onCatalog: (workspace) => {
      if (options.readAhead === true) reader.afterOpening(workspace)
    },
    onOpen: (workspace) => {
      if (options.readOnly !== true) void recovery.opened(workspace)
    },
    onLook: (workspace) => {
      if (options.readOnly !== true) void recovery.look(workspace)
    },
    isWatched: () => hub.hasSubscribers,
  })
  jobs.onEvent(({ job }) => {
    if (job.state === 'completed') recovery.settled(job.workspace_id)
    if (isTerminal(job)) void workspaces.findByPath(job.workspace_path)?.check(true)
  })
  const exports = new ExportFiles(folders.cache, log)
  return {
    workspaces,
    facts: new WorkspaceFacts(jobs, tasks, folders.cache),
    jobs,
    tasks,
    arrays,
    exports,
    orders: new OrderAhead(log),
    hub,
    log,
    telling,
    webFolder: options.webFolder ?? builtApp,
    readOnly: options.readOnly ?? false,
    methodsAt: methodFinder(allRoutes),
    close: async () => {
      await jobs.close()
      workspaces.close()
      tasks.close()
      arrays.close()
      await exports.close()
    },
  }
}
