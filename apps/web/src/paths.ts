/** Every address of the app, in one place. */
export const paths = {
  overview: '/',
  predictions: '/predictions',
  runs: '/runs',
  settings: '/settings',
  storage: '/settings/storage',
  migration: '/settings/migration',
  workspaces: '/settings/workspaces',
} as const
