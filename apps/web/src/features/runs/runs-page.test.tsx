import type { RunBest, RunRow } from '@nirs-workspace/types'
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp, type Sent } from '../../../test/app.tsx'

const run: RunRow = {
  run_id: 'r1',
  name: 'spring',
  status: 'completed',
  created_at: null,
  completed_at: null,
  datasets: ['wheat'],
  n_pipelines: 1,
  n_predictions: 2,
  error: null,
  best: [],
}

const runsOf = (total: number) => ({
  'GET /runs': ({ query }: Sent) => {
    const offset = Number(query.get('offset'))
    const rows = Array.from({ length: Math.max(0, Math.min(50, total - offset)) }, (_, place) => ({ ...run, run_id: `r${offset + place}` }))
    return { rows, total, offset }
  },
})

describe('runs page', () => {
  it('says beside a best score what it is of', async () => {
    const of = (fold_kind: RunBest['fold_kind'], fold_id: string): RunBest => ({
      dataset_name: fold_kind,
      metric: 'rmse',
      direction: 'lower',
      val_score: 0.5,
      prediction_id: fold_kind,
      model_name: 'PLS',
      fold_kind,
      fold_id,
    })
    const best = [of('average', 'w_avg'), of('fold', '3'), of('single', '')]
    renderApp('/runs', 'migrated', { 'GET /runs': () => ({ rows: [{ ...run, best }], total: 1, offset: 0 }) })
    for (const words of ['PLS, all folds together (w_avg)', 'PLS, fold 3 alone', 'PLS, no cross-validation']) {
      expect(await screen.findByText(words)).toBeVisible()
    }
    expect(screen.getAllByText('lower is better')).toHaveLength(3)
  })

  it.each([
    ['/runs?page=99', 14, {}, 14],
    ['/runs?page=99', 120, { page: '3' }, 20],
    ['/runs?page=1e300', 120, { page: '3' }, 20],
  ])('goes to the last page when there is none of that number: %s of %i runs', async (address, total, search, shown) => {
    const { router } = renderApp(address, 'migrated', runsOf(total))
    expect(await screen.findAllByRole('link', { name: 'spring' })).toHaveLength(shown)
    expect(router.state.location.search).toEqual({ ...search, workspace: 'w1' })
  })

  it('shows no empty page on the way to the last one', async () => {
    const last = Promise.withResolvers<void>()
    const runs = runsOf(120)
    const { sent } = renderApp('/runs?page=99', 'migrated', {
      'GET /runs': async (request) => {
        if (request.query.get('offset') === '100') await last.promise
        return runs['GET /runs'](request)
      },
    })
    await waitFor(() => expect(sent.some(({ query }) => query.get('offset') === '100')).toBe(true))
    expect(screen.getByText('120 runs')).toBeVisible()
    expect(screen.queryByRole('table')).not.toBeInTheDocument()
    expect(screen.queryByRole('navigation', { name: 'Runs' })).not.toBeInTheDocument()
    last.resolve()
    expect(await screen.findAllByRole('link', { name: 'spring' })).toHaveLength(20)
  })

  it('leaves out a state that runs do not have, and says so', async () => {
    const { router, sent } = renderApp('/runs?status=bogus', 'migrated', runsOf(1))
    expect(await screen.findByText(/not known here and was left out: status=bogus/)).toBeVisible()
    expect(await screen.findByRole('link', { name: 'spring' })).toBeVisible()
    expect(sent.filter(({ path }) => path === '/runs').every(({ query }) => !query.has('status'))).toBe(true)
    await userEvent.setup().click(screen.getByRole('button', { name: 'Close' }))
    await waitFor(() => expect(router.state.location.search).toEqual({ workspace: 'w1' }))
  })

  it('takes the filters off where no run matches them', async () => {
    const { router } = renderApp('/runs?status=failed&q=x', 'migrated', {
      'GET /runs': ({ query }) => (query.has('q') ? { rows: [], total: 0, offset: 0 } : { rows: [run], total: 1, offset: 0 }),
    })
    await userEvent.setup().click(await screen.findByRole('button', { name: 'Clear all filters' }))
    expect(await screen.findByRole('link', { name: 'spring' })).toBeVisible()
    expect(router.state.location.search).toEqual({ workspace: 'w1' })
  })
})
