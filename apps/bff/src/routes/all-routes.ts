import type { Route } from './define-route.ts'
import { docsRoutes } from './docs.ts'
import { healthRoutes } from './health.ts'
import { jobRoutes } from './jobs.ts'

/** Every route of the API; what is not in this list does not exist. */
export const allRoutes: readonly Route[] = [...healthRoutes, ...jobRoutes, ...docsRoutes(() => allRoutes)]
