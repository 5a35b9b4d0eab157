import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { isApiError } from './client.ts'

/** Only a busy server or a connection cut for a moment is worth a second try; every other refusal would be the same again. */
const retry = (failures: number, error: Error): boolean =>
  failures < 2 && isApiError(error, 'unreachable', 'catalog_building', 'too_many_requests', 'reader_failed')

/** The server is on this machine: a browser that says "offline" because the network is gone must not keep it from asking. */
export const makeQueryClient = (options: { readonly retry: boolean }): QueryClient => {
  // Whoever hears first that a workspace is gone lets the frame tell it.
  const onError = (error: Error): void => {
    if (isApiError(error, 'workspace_not_found')) void client.invalidateQueries({ queryKey: ['/workspaces'] })
  }
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { retry: options.retry ? retry : false, staleTime: 30_000, refetchOnWindowFocus: false, networkMode: 'always' },
      mutations: { networkMode: 'always' },
    },
  })
  return client
}
