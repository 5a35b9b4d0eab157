import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { isApiError } from './api/client.ts'
import { makeRouter } from './routes.tsx'
import { watchTheme } from './stores/theme.ts'
import { TextProvider } from './text/text.tsx'
import { Toasts } from './ui/toasts.tsx'
import './styles.css'

/** Only a lost connection or a busy server is worth a second try; every other refusal would be the same again. */
const retry = (failures: number, error: Error): boolean =>
  failures < 2 && isApiError(error, 'unreachable', 'catalog_building', 'too_many_requests', 'reader_failed')

const client = new QueryClient({ defaultOptions: { queries: { retry, staleTime: 30_000, refetchOnWindowFocus: false } } })
const router = makeRouter()
const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')

watchTheme()
createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <TextProvider>
          <RouterProvider router={router} />
          <Toasts />
        </TextProvider>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
)
