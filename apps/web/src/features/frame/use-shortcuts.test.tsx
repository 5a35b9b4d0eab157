import { fireEvent, screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { prediction } from '../../../test/data.ts'

it('keys go on working after a filter is ticked, and never while somebody types', async () => {
  renderApp('/predictions', 'migrated', {
    'GET /predictions': () => ({ rows: [prediction(0)], total: 1, offset: 0, metrics: ['rmse'] }),
  })
  fireEvent.keyDown(await screen.findByRole('searchbox'), { key: '?' })
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
  fireEvent.keyDown(await screen.findByRole('checkbox', { name: /wheat/ }), { key: '?' })
  expect(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
})
