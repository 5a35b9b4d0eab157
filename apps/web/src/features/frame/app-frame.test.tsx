import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { workspaceList } from '../../../test/data.ts'

/** Two open workspaces on a server where others can choose which one is current. */
const openTwo = (address: string) => {
  const state = { current: 'w1', open: ['w1', 'w2'] }
  const list = () => {
    const one = workspaceList('migrated')
    const rows = state.open.flatMap((id) =>
      one.rows.map((row) => ({ ...row, id, name: id === 'w1' ? 'grain-lab' : 'rye', current: id === state.current })),
    )
    return { ...one, rows, total: rows.length }
  }
  const app = renderApp(address, 'migrated', {
    'GET /workspaces': list,
    'DELETE /workspaces/w1': () => {
      Object.assign(state, { current: 'w2', open: ['w2'] })
      return {}
    },
  })
  return { ...app, state, shown: () => screen.getByRole('button', { name: /^Workspace: ?/ }) }
}

describe('the workspace of an address', () => {
  it('is named in it from the first on, and stays when another tab goes elsewhere', async () => {
    const { client, router, state, shown } = openTwo('/runs?q=a')
    await waitFor(() => expect(router.state.location.search).toEqual({ q: 'a', workspace: 'w1' }))
    expect(router.history.length).toBe(1)
    state.current = 'w2'
    await act(() => client.invalidateQueries({ queryKey: ['/workspaces'] }))
    expect(shown()).toHaveTextContent('grain-lab')
    expect(router.state.location.search).toEqual({ q: 'a', workspace: 'w1' })
  })

  it.each(['/foo', '/settings/foo'])('is named in an address that leads nowhere, which stays and says so: %s', async (address) => {
    const { router } = openTwo(address)
    await waitFor(() => expect(router.state.location.search).toEqual({ workspace: 'w1' }))
    expect(router.state.location.pathname).toBe(address)
    expect(await screen.findByText('There is no such page')).toBeVisible()
  })

  it('gives way to the next one when it is taken off the list', async () => {
    const { router, client, shown } = openTwo('/settings/workspaces')
    const listedWithoutIt = new Set<string | undefined>()
    await screen.findAllByText('Forget')
    client.getQueryCache().subscribe(({ query }) => {
      if (query.queryKey[0] === '/workspaces' && query.state.data?.total === 1) {
        listedWithoutIt.add(router.state.location.search.workspace)
      }
    })
    await userEvent.click((await screen.findAllByText('Forget'))[0] ?? document.body)
    await waitFor(() => expect(router.state.location.search).toEqual({ workspace: 'w2' }))
    expect(shown()).toHaveTextContent('rye')
    expect(await screen.findByText('Taken off the list. Nothing was deleted.')).toBeVisible()
    await waitFor(() => expect(screen.getAllByText('Forget')).toHaveLength(1))
    expect([...listedWithoutIt]).toEqual(['w2'])
  })
})
