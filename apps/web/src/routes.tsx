import { createRootRoute, createRoute, createRouter, redirect, retainSearchParams } from '@tanstack/react-router'
import { AppFrame } from './features/frame/app-frame.tsx'
import { NotFound } from './features/frame/not-found.tsx'
import { OverviewPage } from './features/overview/overview-page.tsx'
import { validateSearch as predictionSearch } from './features/predictions/search.ts'
import { validateSearch as runsSearch } from './features/runs/search.ts'
import { lazyPart } from './lib/lazy-part.tsx'
import { asText, overRaw, parseSearch, stringifySearch, withoutUndefined } from './lib/url-search.ts'
import { paths } from './paths.ts'
import { RouteError } from './ui/route-error.tsx'

/** `workspace` goes along with every address, so that a link opened elsewhere shows the same workspace. */
interface FrameSearch {
  workspace?: string | undefined
}

const rootRoute = createRootRoute({
  component: AppFrame,
  notFoundComponent: NotFound,
  validateSearch: (raw: Record<string, unknown>): FrameSearch => withoutUndefined({ workspace: asText(raw.workspace) }),
  search: { middlewares: [retainSearchParams(['workspace'])] },
})

const overviewRoute = createRoute({ getParentRoute: () => rootRoute, path: paths.overview, component: OverviewPage })

const predictionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: paths.predictions,
  validateSearch: (raw: Record<string, unknown>) => overRaw(raw, predictionSearch(raw)),
  component: lazyPart(async () => (await import('./features/predictions/predictions-page.tsx')).PredictionsPage),
})

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: paths.runs,
  validateSearch: (raw: Record<string, unknown>) => overRaw(raw, runsSearch(raw)),
  component: lazyPart(async () => (await import('./features/runs/runs-page.tsx')).RunsPage),
})

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: paths.settings,
  component: lazyPart(async () => (await import('./features/settings/settings-page.tsx')).SettingsPage),
})

const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: paths.storage })
  },
})

const storageRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: 'storage',
  component: lazyPart(async () => (await import('./features/storage/storage-page.tsx')).StoragePage),
})

const migrationRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: 'migration',
  validateSearch: (raw: Record<string, unknown>): { step?: 'review' } =>
    overRaw(raw, asText(raw.step) === 'review' ? { step: 'review' } : {}),
  component: lazyPart(async () => (await import('./features/migration/migration-page.tsx')).MigrationPage),
})

const workspacesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: 'workspaces',
  component: lazyPart(async () => (await import('./features/workspaces/workspaces-page.tsx')).WorkspacesPage),
})

export const routeTree = rootRoute.addChildren([
  overviewRoute,
  predictionsRoute,
  runsRoute,
  settingsRoute.addChildren([settingsIndexRoute, storageRoute, migrationRoute, workspacesRoute]),
])

export const makeRouter = () =>
  createRouter({
    routeTree,
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: RouteError,
  })

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
