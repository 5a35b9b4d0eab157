import { act, screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { problem, renderApp } from '../../test/app.tsx'
import { prediction, workspaceList } from '../../test/data.ts'
import { applyEvent } from './events.ts'

const noCatalog = () => problem(503, 'catalog_building', 'The catalog of this workspace is still being built.')

/** The table of one of two workspaces that another program changes. */
const openChanging = async () => {
  const state = { fingerprint: 'f', total: 1, answer: Promise.resolve() }
  const list = () => {
    const one = workspaceList('migrated')
    const rows = one.rows.map((row) => ({ ...row, catalog: { ...row.catalog, fingerprint: state.fingerprint } }))
    return { ...one, rows: [...rows, ...one.rows.map((row) => ({ ...row, id: 'w2', name: 'rye', current: false }))], total: 2 }
  }
  const app = renderApp('/predictions?workspace=w1', 'migrated', {
    'GET /workspaces': list,
    'GET /predictions': async ({ query }) => {
      const total = query.get('workspace') === 'w1' ? state.total : 5
      await state.answer
      return { rows: [prediction(0)], total, offset: 0, metrics: ['rmse'] }
    },
  })
  await screen.findByText('1 prediction')
  const look = () => act(() => app.client.invalidateQueries({ queryKey: ['/workspaces'] }))
  const show = (workspace: string) => act(() => app.router.navigate({ to: '/predictions', search: { workspace } }))
  const asked = () => app.sent.filter(({ path, query }) => path === '/predictions' && query.get('workspace') === 'w1').length
  return { ...app, state, look, show, asked }
}

describe('what is shown of a workspace', () => {
  it('is of now after a time with another one, in which nobody told of its changes', async () => {
    const { state, look, show, asked } = await openChanging()
    await show('w2')
    expect(await screen.findByText('5 predictions')).toBeVisible()
    await show('w1')
    expect(await screen.findByText('1 prediction')).toBeVisible()
    expect(asked()).toBe(1)
    await show('w2')
    await screen.findByText('5 predictions')
    Object.assign(state, { fingerprint: 'g', total: 7 })
    await look()
    await show('w1')
    expect(await screen.findByText('7 predictions')).toBeVisible()
  })

  it('follows the list where no events arrive, and asks once where they do', async () => {
    const { client, state, look, asked } = await openChanging()
    Object.assign(state, { fingerprint: 'g', total: 7 })
    await look()
    expect(await screen.findByText('7 predictions')).toBeVisible()
    Object.assign(state, { fingerprint: 'h', total: 8 })
    const event = { channel: 'workspace:w1', seq: 1, timestamp: '2026-11-21T03:00:00.000Z' }
    act(() => applyEvent(client, { ...event, type: 'catalog_updated', data: { workspace_id: 'w1', fingerprint: 'h' } }))
    expect(await screen.findByText('8 predictions')).toBeVisible()
    expect(asked()).toBe(3)
  })

  it('takes no rows that were on their way when it changed', async () => {
    const { state, router, look, asked } = await openChanging()
    const answer = Promise.withResolvers<void>()
    state.answer = answer.promise
    await act(() => router.navigate({ to: '/predictions', search: { workspace: 'w1', sort: ['val_score:desc'] } }))
    await waitFor(() => expect(asked()).toBe(2))
    Object.assign(state, { fingerprint: 'g', total: 7 })
    await look()
    await waitFor(() => expect(asked()).toBe(3))
    answer.resolve()
    expect(await screen.findByText('7 predictions')).toBeVisible()
  })

  describe('when a first catalog is there', () => {
    const openBuilding = (address: string, mode: 'legacy' | 'migrated', early: () => unknown = noCatalog) => {
      const state = { isBuilt: false }
      const catalog = () =>
        state.isBuilt
          ? { state: 'ready' as const, built_at: '2026-11-21T03:00:00.000Z', fingerprint: 'f', detail: null }
          : { state: 'building' as const, built_at: null, fingerprint: null, detail: null }
      const app = renderApp(address, mode, {
        'GET /workspaces': () => workspaceList(mode, { catalog: catalog() }),
        'GET /predictions': () => (state.isBuilt ? { rows: [prediction(0)], total: 1, offset: 0, metrics: ['rmse'] } : early()),
      })
      const build = async () => {
        state.isBuilt = true
        await act(() => app.client.invalidateQueries({ queryKey: ['/workspaces'] }))
      }
      return { ...app, build }
    }

    it('replaces what an older one has answered while it was built', async () => {
      const { build } = openBuilding('/predictions', 'migrated', () => ({ rows: [prediction(0)], total: 5, offset: 0, metrics: ['rmse'] }))
      await screen.findByText('5 predictions')
      await build()
      expect(await screen.findByText('1 prediction')).toBeVisible()
    })

    it('comes by itself on a page that had given up on it', async () => {
      const { build } = openBuilding('/predictions', 'migrated')
      await screen.findByRole('button', { name: 'Try again' })
      await build()
      expect(await screen.findByText('1 prediction')).toBeVisible()
    })

    it('keeps what was answered without it: a plan of a migration is not made again', async () => {
      const { sent, client, build } = openBuilding('/settings/migration?step=review', 'legacy')
      const start = await screen.findByRole('button', { name: 'Migrate now' })
      const status = () => sent.filter(({ path }) => path === '/workspace/migrate/status').length
      const before = status()
      await build()
      await waitFor(() => expect(client.isFetching()).toBe(0))
      expect(start).toBeVisible()
      expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(1)
      expect(status()).toBe(before)
    })
  })
})
