import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { makeQueryClient } from './api/query-client.ts'
import { makeRouter } from './routes.tsx'
import { watchTheme } from './stores/theme.ts'
import { TextProvider } from './text/text.tsx'
import { Toasts } from './ui/toasts.tsx'
import './styles.css'

const client = makeQueryClient({ retry: true })
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
