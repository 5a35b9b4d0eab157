/** What reading a store or a lone Parquet file may meet. */
export const readErrors = [
  'workspace_not_found',
  'not_a_workspace',
  'store_locked',
  'store_unreadable',
  'store_unsafe',
  'store_too_new',
  'path_unusable',
  'interrupted',
  'no_space',
  'out_of_memory',
  'write_failed',
  'timed_out',
] as const

/** The same, of what is asked of a catalog: without one at hand, why there is none. */
export const catalogErrors = [...readErrors, 'catalog_building'] as const
