import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { problem, renderApp } from '../../../test/app.tsx'
import { overviewOf, stats, workspaceList } from '../../../test/data.ts'
import { applyEvent } from '../../api/events.ts'

const title = 'This workspace is no longer at its place.'
const gone = () => problem(404, 'workspace_not_found', 'There is no nirs4all workspace at /data/grain-lab any more.')

/** The app over a workspace that a test takes away and puts back. */
const openMovable = (address: string, isThere: boolean) => {
  const state = { isThere }
  const app = renderApp(address, 'migrated', {
    'GET /workspaces': () => workspaceList('migrated', { exists: state.isThere }),
    'GET /workspace/stats': () => (state.isThere ? stats : gone()),
    'GET /workspace/storage-status': () => gone(),
    'GET /overview': () => (state.isThere ? overviewOf({}) : gone()),
  })
  return { ...app, state }
}

describe('a workspace that vanishes while it is open', () => {
  it('is told on the page as soon as the server says so, with what to do; what is on the page stays', async () => {
    const { client, state } = openMovable('/', true)
    await screen.findByRole('heading', { name: 'wheat' })
    expect(screen.queryByText(title)).not.toBeInTheDocument()
    state.isThere = false
    const event = { channel: 'workspace:w1', seq: 1, timestamp: '2026-11-21T03:00:00.000Z', data: { workspace_id: 'w1' } }
    act(() => applyEvent(client, { ...event, type: 'workspace_missing' }))
    const alert = (await screen.findByText(title)).closest('[role=alert]')
    expect(alert).toHaveTextContent(/\/data\/grain-lab\. Nothing was changed\. Put it back/)
    expect(screen.getByRole('link', { name: 'Open elsewhere…' })).toHaveAttribute('href', expect.stringContaining('/settings/workspaces'))
    expect(screen.getByRole('heading', { name: 'wheat' })).toBeVisible()
  })

  it('is noticed without events, by the first answer that says so', async () => {
    const { client, state } = openMovable('/', true)
    await screen.findByRole('heading', { name: 'wheat' })
    state.isThere = false
    void client.invalidateQueries({ queryKey: ['/overview'] })
    expect(await screen.findByText(title)).toBeVisible()
  })

  it.each(['/settings/storage', '/'])('is shown again by itself when it is back (%s)', async (address) => {
    const { state } = openMovable(address, false)
    expect(await screen.findByText(title)).toBeVisible()
    expect((await screen.findAllByText('Not available while the workspace is away.'))[0]).toBeVisible()
    state.isThere = true
    await userEvent.click(screen.getByRole('button', { name: 'Look again' }))
    expect(await screen.findByText('507 MB in all')).toBeVisible()
    expect(screen.queryByText(title)).not.toBeInTheDocument()
    expect(screen.queryByText(/workspace is away/)).not.toBeInTheDocument()
  })

  it('is told once on a table that is opened meanwhile, which offers nothing to lay out or export', async () => {
    renderApp('/predictions', 'migrated', {
      'GET /workspaces': () => workspaceList('migrated', { exists: false }),
      'GET /predictions': gone,
      'GET /predictions/facets': gone,
      'GET /predictions/histogram': gone,
    })
    expect(await screen.findByText('Not available while the workspace is away.')).toBeVisible()
    expect(screen.getByText(title)).toBeVisible()
    for (const name of ['Columns', 'Export…']) expect(screen.getByRole('button', { name })).toBeDisabled()
    expect(screen.getByRole('complementary', { name: 'Filters' })).toHaveTextContent(/^$/)
    expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument()
  })

  it('is looked for without being asked', async () => {
    const { state, sent } = openMovable('/', false)
    await screen.findByText(title)
    state.isThere = true
    await waitFor(() => expect(screen.queryByText(title)).not.toBeInTheDocument())
    expect(sent.filter(({ path }) => path === '/workspaces').length).toBeGreaterThan(1)
  })
})

describe('an address of a workspace that is not open', () => {
  it('offers the open workspaces and the recent ones to go on with', async () => {
    const opened: unknown[] = []
    const { router } = renderApp('/predictions?workspace=zzz', 'migrated', {
      'GET /workspaces': () => ({
        ...workspaceList('migrated'),
        recents: [
          { path: '/data/grain-lab', name: 'grain-lab', opened_at: '2026-11-20T03:00:00.000Z', exists: true },
          { path: '/data/rye', name: 'rye', opened_at: '2026-11-20T03:00:00.000Z', exists: true },
          { path: '/data/oats', name: 'oats', opened_at: '2026-11-20T03:00:00.000Z', exists: false },
        ],
      }),
      'POST /workspaces': ({ body }) => {
        opened.push(body)
        return problem(404, 'workspace_not_found', 'There is no nirs4all workspace at /data/rye.')
      },
      'POST /workspaces/w1/activate': () => ({}),
    })
    expect(await screen.findByText('The workspace in this address is not open here.')).toBeVisible()
    expect(screen.getAllByRole('button', { name: /grain-lab/ })).toHaveLength(1)
    expect(screen.getByRole('button', { name: /oats/ })).toBeDisabled()
    const user = userEvent.setup()
    await user.click(screen.getByRole('button', { name: /rye/ }))
    expect(await screen.findByText(/There is no nirs4all workspace at \/data\/rye/)).toBeVisible()
    expect(opened).toEqual([{ path: '/data/rye' }])
    await user.click(screen.getByRole('button', { name: /grain-lab/ }))
    await waitFor(() => expect(router.state.location).toMatchObject({ pathname: '/', search: { workspace: 'w1' } }))
  })
})
