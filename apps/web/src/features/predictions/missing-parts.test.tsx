import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, it, vi } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { prediction } from '../../../test/data.ts'

const server = vi.hoisted(() => ({ stopped: true }))

vi.mock('../../lib/lazy-part.tsx', async (original) => {
  const real = await original<typeof import('../../lib/lazy-part.tsx')>()
  const lazyPart: typeof real.lazyPart = (load) =>
    real.lazyPart(async () => {
      // Only what is fetched from the table itself; the page is there.
      if (server.stopped && !load.toString().includes('predictions-page'))
        throw new TypeError('Failed to fetch dynamically imported module')
      return load()
    })
  return { ...real, lazyPart }
})

afterEach(() => {
  server.stopped = true
  vi.restoreAllMocks()
})

const openTable = async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  renderApp('/predictions', 'migrated', {
    'GET /predictions': () => ({ rows: [prediction(0), prediction(1)], total: 2, offset: 0, metrics: ['rmse'] }),
  })
  return screen.findByRole('grid')
}

it('an export that the stopped server cannot begin is told in a dialog, the table stays, and it can be tried again', async () => {
  const grid = await openTable()
  await userEvent.click(screen.getByRole('button', { name: 'Export…' }))
  expect(await screen.findByRole('dialog', { name: 'Export predictions' })).toHaveTextContent('This part of the app could not be loaded')
  expect(grid).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Close' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument())
  await userEvent.click(screen.getByRole('button', { name: 'Export…' }))
  await screen.findByRole('heading', { name: 'This part of the app could not be loaded' })
  server.stopped = false
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect((await screen.findAllByRole('radio')).length).toBeGreaterThan(1)
  expect(grid).toBeInTheDocument()
})

it('a row that cannot be opened beside the table is told there, and the table stays', async () => {
  const grid = await openTable()
  await userEvent.dblClick(screen.getByText('PLS-0'))
  expect(await screen.findByRole('complementary', { name: 'Prediction' })).toHaveTextContent('This part of the app could not be loaded')
  expect(grid).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Close' }))
  await waitFor(() => expect(screen.queryByRole('complementary', { name: 'Prediction' })).not.toBeInTheDocument())
  expect(grid).toBeInTheDocument()
})

it('a row opened after one that could not be is shown', async () => {
  await openTable()
  await userEvent.dblClick(screen.getByText('PLS-0'))
  await screen.findByText('This part of the app could not be loaded')
  server.stopped = false
  await userEvent.click(screen.getByText('PLS-1'))
  expect(await screen.findByRole('img', { name: /Predicted against measured values/ })).toBeVisible()
  expect(screen.queryByText('This part of the app could not be loaded')).not.toBeInTheDocument()
})
