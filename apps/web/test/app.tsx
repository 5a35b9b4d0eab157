import { Facets, Histogram, PredictionDetail, PredictionPage, Scatter } from '@nirs-workspace/types'
import { QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import { vi } from 'vitest'
import { makeQueryClient } from '../src/api/query-client.ts'
import { makeRouter } from '../src/routes.tsx'
import { TextProvider } from '../src/text/text.tsx'
import { Toasts } from '../src/ui/toasts.tsx'
import { migrateStatus, noJobs, overview, plan, prediction, stats, storageStatus, workspaceList } from './data.ts'

export interface Sent {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
}

/** Answer of one route; a `Response` is passed on as it is. */
export type Answer = (request: Sent) => unknown

/** The app on an address, over a server that lives in memory. `answers` override by "METHOD /path". */
export const renderApp = (address: string, mode: 'legacy' | 'migrated' | 'lost_arrays', answers: Record<string, Answer> = {}) => {
  const sent: Sent[] = []
  const all = { ...defaults(mode), ...answers }
  vi.stubGlobal('fetch', async (input: string, init: RequestInit = {}) => {
    const url = new URL(input, 'http://localhost')
    const path = url.pathname.replace('/api', '')
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined
    const request: Sent = { method: init.method ?? 'GET', path, query: url.searchParams, body }
    sent.push(request)
    const answer = all[`${request.method} ${path}`] ?? all[`${request.method} ${path.replace(/\/predictions\/[^/]+/, '/predictions/:id')}`]
    if (answer === undefined) return problem(404, 'route_not_found', path)
    const value = await answer(request)
    return value instanceof Response ? value : Response.json(value)
  })
  const router = makeRouter()
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [address] }) })
  const client = makeQueryClient({ retry: false })
  render(
    <QueryClientProvider client={client}>
      <TextProvider>
        <RouterProvider router={router} />
        <Toasts />
      </TextProvider>
    </QueryClientProvider>,
  )
  return { sent, router, client }
}

export const problem = (status: number, code: string, detail: string): Response =>
  new Response(JSON.stringify({ type: 'about:blank', title: code, status, code, detail, request_id: 'r' }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  })

export const totalRows = 1536

const defaults = (mode: 'legacy' | 'migrated' | 'lost_arrays'): Record<string, Answer> => ({
  'GET /workspaces': () => workspaceList(mode),
  'GET /jobs': () => noJobs,
  'GET /workspace/storage-status': () => storageStatus(mode),
  'GET /workspace/migrate/status': () => migrateStatus(mode),
  'GET /workspace/stats': () => stats,
  'GET /overview': () => overview,
  'POST /workspace/migrate': () => plan,
  'GET /predictions': ({ query }) => page(Number(query.get('offset')), Number(query.get('limit'))),
  'GET /predictions/facets': () =>
    Facets.parse({
      total: totalRows,
      facets: {
        dataset_name: { values: [{ value: 'wheat', count: 768 }], distinct: 1 },
        partition: { values: [{ value: 'val', count: 900 }], distinct: 1 },
        model_name: { values: [{ value: 'PLS-3', count: 1 }], distinct: 1 },
      },
    }),
  'GET /predictions/histogram': () =>
    Histogram.parse({ column: 'val_score', bins: [{ min: 0, max: 1, count: 3 }], nulls: 1, non_finite: 1, placeholders: 0, times: null }),
  'GET /predictions/:id': ({ path }) => {
    const index = Number(path.split('/p').at(-1))
    return PredictionDetail.parse({ ...prediction(index), scores: {}, params: { n_components: 9 }, arrays_state: 'stored', siblings: [] })
  },
  'GET /predictions/:id/scatter': ({ path }) => scatterOf(path.split('/')[2] ?? ''),
})

const page = (offset: number, limit: number) =>
  PredictionPage.parse({
    rows: Array.from({ length: Math.max(0, Math.min(limit, totalRows - offset)) }, (_, step) => prediction(offset + step)),
    total: totalRows,
    offset,
    metrics: ['rmse'],
  })

export const scatterOf = (id: string) =>
  Scatter.parse({
    prediction_id: id,
    dataset_name: 'wheat',
    model_name: 'PLS',
    fold_id: '0',
    partition: 'val',
    metric: 'rmse',
    task_type: 'regression',
    y_true: [1, 2, 3, null],
    y_pred: [1.1, 1.9, 3.2, 4],
    sample_indices: [10, 20, 30, 40],
    regression: {
      n: 3,
      excluded: 1,
      rmse: 0.14,
      r2: 0.97,
      bias: 0.07,
      mae: 0.1,
      sep: 0.12,
      sep_n1: 0.15,
      rpd: 6,
      rpiq: 7,
      slope: 1.05,
      intercept: -0.03,
    },
    classification: null,
  })
