import { arrayRoutes } from './arrays.ts'
import type { Route } from './define-route.ts'
import { docsRoutes } from './docs.ts'
import { exportRoutes } from './exports.ts'
import { healthRoutes } from './health.ts'
import { jobRoutes } from './jobs.ts'
import { migrationRoutes } from './migration.ts'
import { overviewRoutes } from './overview.ts'
import { predictionRoutes } from './predictions.ts'
import { storageRoutes } from './storage.ts'
import { workspaceRoutes } from './workspaces.ts'

/** Every route of the API; what is not in this list does not exist. Fixed paths stand before those with parameters. */
export const allRoutes: readonly Route[] = [
  ...healthRoutes,
  ...workspaceRoutes,
  ...storageRoutes,
  ...migrationRoutes,
  ...jobRoutes,
  ...overviewRoutes,
  ...predictionRoutes,
  ...arrayRoutes,
  ...exportRoutes,
  ...docsRoutes(() => allRoutes),
]
