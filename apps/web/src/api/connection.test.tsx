import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { renderApp } from '../../test/app.tsx'
import { migrateStatus, migrationJob, storageStatus, workspaceList } from '../../test/data.ts'
import { setConnection } from './connection.ts'

afterEach(() => act(() => setConnection('starting')))

describe('connection', () => {
  it('says that the server is gone and how to start it again', async () => {
    renderApp('/', 'migrated')
    await screen.findByText('/data/grain-lab')
    expect(screen.queryByText(/The server has stopped/)).not.toBeInTheDocument()
    act(() => setConnection('offline'))
    expect(screen.getByRole('alert')).toHaveTextContent(/Nothing in the workspace is affected\..*npm start -- \/data\/grain-lab/)
    expect(screen.getByRole('button', { name: 'Try now' })).toBeEnabled()
    act(() => setConnection('live'))
    expect(screen.queryByText(/The server has stopped/)).not.toBeInTheDocument()
  })

  it('says so too when the server went before it had answered anything, and goes on when it is back', async () => {
    let running = false
    const gone = (): Response => {
      throw new TypeError('Failed to fetch')
    }
    const NeverOpen = WebSocket
    vi.stubGlobal(
      'WebSocket',
      class extends EventTarget {
        readonly readyState = running ? 1 : 3
        constructor() {
          super()
          queueMicrotask(() => this.dispatchEvent(new Event(running ? 'open' : 'close')))
        }
        close(): void {}
        send(): void {}
      },
    )
    renderApp('/', 'migrated', {
      'GET /workspaces': () => (running ? workspaceList('migrated') : gone()),
      'GET /health': gone,
    })
    expect(await screen.findByText(/The server has stopped/)).toBeVisible()
    running = true
    await userEvent.click(screen.getByRole('button', { name: 'Try now' }))
    expect(await screen.findByText('/data/grain-lab')).toBeVisible()
    expect(screen.queryByText(/The server has stopped/)).not.toBeInTheDocument()
    vi.stubGlobal('WebSocket', NeverOpen)
  })

  it('asks the server of this machine although the browser says that there is no network', async () => {
    const { sent } = renderApp('/', 'migrated')
    await screen.findByText('/data/grain-lab')
    Object.defineProperty(navigator, 'onLine', { configurable: true, value: false })
    window.dispatchEvent(new Event('offline'))
    await userEvent.click(screen.getByRole('link', { name: 'Predictions' }))
    await waitFor(() => expect(sent.some((request) => request.path === '/predictions')).toBe(true))
    expect(await screen.findByText(/^1.536 predictions$/)).toBeVisible()
    Object.defineProperty(navigator, 'onLine', { configurable: true, value: true })
    window.dispatchEvent(new Event('online'))
  })

  it('shows what a job has done although no events arrive', async () => {
    let state: 'running' | 'completed' = 'running'
    const { client } = renderApp('/settings/migration', 'legacy', {
      'GET /jobs': () => ({ rows: [migrationJob({ state })], total: 1 }),
      'GET /workspace/migrate/status': () => migrateStatus(state === 'running' ? 'legacy' : 'migrated'),
      'GET /workspace/storage-status': () => storageStatus(state === 'running' ? 'legacy' : 'migrated'),
    })
    await screen.findByRole('button', { name: 'Cancel migration' })
    act(() => setConnection('asking'))
    state = 'completed'
    await act(() => client.invalidateQueries({ queryKey: ['/jobs'] }))
    expect(await screen.findByText(/rows compared value by value, none differs/)).toBeVisible()
  })
})
