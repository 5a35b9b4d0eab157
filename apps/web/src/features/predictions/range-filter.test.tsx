import { Facets } from '@nirs-workspace/types'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'

const mixed = Facets.parse({
  total: 9,
  facets: {
    metric: {
      values: [
        { value: 'rmse', count: 6 },
        { value: 'balanced_accuracy', count: 3 },
      ],
      distinct: 2,
    },
  },
})

describe('distribution of a score', () => {
  it('shows one metric at a time, never a refit, and a range is one of that metric', async () => {
    const { sent, router } = renderApp('/predictions', 'migrated', { 'GET /predictions/facets': () => mixed })
    const user = userEvent.setup()
    const choice = await screen.findByRole('combobox', { name: 'Metric of Val score' })
    const asked = () => sent.filter((request) => request.path === '/predictions/histogram' && request.query.get('column') === 'val_score')
    await waitFor(() => expect(asked().at(-1)?.query.get('metric')).toBe('rmse'))
    expect(asked().every((request) => !request.query.getAll('fold_kind').includes('refit'))).toBe(true)
    await user.selectOptions(choice, 'Balanced accuracy')
    await waitFor(() => expect(asked().at(-1)?.query.get('metric')).toBe('balanced_accuracy'))
    await user.type(screen.getByRole('textbox', { name: 'Val score: Minimum' }), '0,8{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ metric: 'balanced_accuracy', val_score_min: '0.8' }))
  })

  it('takes two spellings of a metric for one, and a range is one of both', async () => {
    const spelled = Facets.parse({
      total: 9,
      facets: { metric: { values: ['r2', 'rmse', 'R2'].map((value) => ({ value, count: 3 })), distinct: 3 } },
    })
    const { sent, router } = renderApp('/predictions', 'migrated', { 'GET /predictions/facets': () => spelled })
    const user = userEvent.setup()
    const choice = await screen.findByRole('combobox', { name: 'Metric of Val score' })
    expect(
      within(choice)
        .getAllByRole('option')
        .map((option) => option.textContent),
    ).toEqual(['R²', 'RMSE'])
    await waitFor(() =>
      expect(sent.some(({ path, query }) => path === '/predictions/histogram' && query.getAll('metric').join() === 'r2,R2')).toBe(true),
    )
    await user.type(screen.getByRole('textbox', { name: 'Val score: Minimum' }), '0.8{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ metric: ['r2', 'R2'], val_score_min: '0.8' }))
  })

  it('says that there is no finite score instead of drawing a scale', async () => {
    renderApp('/predictions', 'migrated', {
      'GET /predictions/histogram': () => ({ column: 'val_score', bins: [], nulls: 5, non_finite: 2 }),
    })
    expect((await screen.findAllByText('No finite score here (7 without).')).length).toBeGreaterThan(0)
  })
})
