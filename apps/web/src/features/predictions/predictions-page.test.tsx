import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { problem, renderApp, totalRows } from '../../../test/app.tsx'

const openGrid = async (address = '/predictions', answers = {}) => {
  const app = renderApp(address, 'migrated', answers)
  const grid = await screen.findByRole('grid')
  return { ...app, grid, user: userEvent.setup() }
}

describe('predictions page', () => {
  it('shows the exact total and tells screen readers about all rows', async () => {
    const { grid } = await openGrid()
    expect(screen.getByText(/^1.536 predictions$/)).toBeVisible()
    expect(grid).toHaveAttribute('aria-rowcount', String(totalRows + 1))
    expect(screen.getAllByRole('columnheader').at(3)).toHaveTextContent('RMSECV')
  })

  it('tells NaN, no value and not loaded apart', async () => {
    await openGrid()
    expect(await screen.findByText('NaN')).toBeVisible()
    expect(screen.getByText('no value')).toBeInTheDocument()
  })

  it('moves by keyboard to the last row, fetching its block, with one tab stop', async () => {
    const { grid, user, sent } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Control>}{End}{/Control}')
    expect(document.activeElement?.closest('[role=row]')).toHaveAttribute('aria-rowindex', String(totalRows + 1))
    await waitFor(() => expect(sent.some((request) => request.query.get('offset') === '1400')).toBe(true))
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1)
  })

  it('sorts by a header: up, down, off; the order is in the address', async () => {
    const { router, user, sent } = await openGrid()
    const header = () => screen.getByRole('columnheader', { name: /RMSECV/ })
    await user.click(header())
    expect(header()).toHaveAttribute('aria-sort', 'ascending')
    await waitFor(() => expect(sent.at(-1)?.query.getAll('sort') ?? []).toBeDefined())
    expect(router.state.location.searchStr).toBe('?sort=val_score:asc')
    await user.click(header())
    expect(router.state.location.searchStr).toBe('?sort=val_score:desc')
    await user.click(header())
    expect(router.state.location.searchStr).toBe('')
    expect(sent.some((request) => request.path === '/predictions' && request.query.get('sort') === 'val_score:desc')).toBe(true)
  })

  it('opens a row beside the table, follows the cursor, and closes with Esc', async () => {
    const { router, user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Enter}')
    expect(await screen.findByRole('img', { name: /Predicted against measured values, val/ })).toBeVisible()
    await user.keyboard('{ArrowDown}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p1', at: '2' }))
    await user.keyboard('{Escape}')
    await waitFor(() => expect(router.state.location.search).not.toHaveProperty('peek'))
  })

  it('filters by a facet and drops the filter by its chip', async () => {
    const { user, sent } = await openGrid()
    await user.click(await screen.findByRole('checkbox', { name: /wheat/ }))
    await waitFor(() =>
      expect(sent.some((request) => request.path === '/predictions' && request.query.get('dataset_name') === 'wheat')).toBe(true),
    )
    await user.click(screen.getByRole('button', { name: 'Remove filter Dataset: wheat' }))
    expect(screen.queryByRole('button', { name: /Remove filter/ })).not.toBeInTheDocument()
  })

  it('says that a link filters everything away, and offers the way back', async () => {
    renderApp('/predictions?dataset_name=rye', 'migrated', { 'GET /predictions': () => ({ rows: [], total: 0, offset: 0, metrics: [] }) })
    expect(await screen.findByText('Nothing matches these filters')).toBeVisible()
    expect(screen.getAllByRole('button', { name: 'Clear all filters' }).length).toBeGreaterThan(0)
  })

  it('explains an error and tries again', async () => {
    let failing = true
    renderApp('/predictions', 'migrated', {
      'GET /predictions': () =>
        failing ? problem(500, 'internal', 'The catalog process stopped.') : { rows: [], total: 0, offset: 0, metrics: [] },
    })
    expect(await screen.findByText('The catalog process stopped.')).toBeVisible()
    failing = false
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('No predictions yet')).toBeVisible()
  })
})
