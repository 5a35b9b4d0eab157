import type { PredictionRow, Scatter } from '@nirs-workspace/types'
import { PredictionDetail, PredictionPage } from '@nirs-workspace/types'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { problem, renderApp, scatterOf } from '../../../test/app.tsx'
import { prediction } from '../../../test/data.ts'

/** The page with one row of this kind, opened beside the table. */
const openRow = async (
  change: Partial<PredictionRow>,
  scatter: Scatter | Response | (() => Scatter | Response) = scatterOf('p0'),
  more: Partial<PredictionDetail> = {},
) => {
  const row = { ...prediction(0), ...change }
  const app = renderApp('/predictions', 'migrated', {
    'GET /predictions': () => PredictionPage.parse({ rows: [row], total: 1, offset: 0, metrics: [row.metric] }),
    'GET /predictions/:id': () => PredictionDetail.parse({ ...row, scores: {}, params: {}, siblings: [], ...more }),
    'GET /predictions/:id/scatter': () => (typeof scatter === 'function' ? scatter() : scatter),
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Open beside the table (Enter)' }))
  await screen.findByRole('complementary', { name: 'Prediction' })
  return app
}

describe('row beside the table', () => {
  it('calls the error of a left-out fold RMSECV', async () => {
    await openRow({ val_score: 0.14 })
    expect(await screen.findByText('RMSECV', { selector: 'dt' })).toBeVisible()
    expect(screen.queryByText('RMSE of these arrays')).not.toBeInTheDocument()
  })

  it('does not call the error RMSECV where nobody knows what the fold is', async () => {
    await openRow({ fold_kind: 'other', fold_id: 'ensemble', val_score: 0.14 })
    expect(await screen.findByText('RMSE of these arrays', { selector: 'dt' })).toBeVisible()
  })

  it('explains its figures by keyboard, too', async () => {
    await openRow({ val_score: 0.14 })
    const explain = await screen.findByRole('button', { name: 'Formulas and conventions', expanded: false })
    expect(screen.queryByText(/as ISO 12099 has it/)).not.toBeInTheDocument()
    explain.focus()
    await userEvent.keyboard('{Enter}')
    expect(explain).toHaveAttribute('aria-expanded', 'true')
    expect(screen.getByText(/as ISO 12099 has it/)).toBeVisible()
  })

  it('does not call the error of mixed fold models RMSECV, and says why it is not the stored score', async () => {
    await openRow({ fold_kind: 'average', fold_id: 'avg', val_score: 0.41 })
    expect(await screen.findByText('RMSE of these arrays')).toBeVisible()
    expect(screen.getByText(/The stored validation RMSE is 0\.4100; these arrays give 0\.1400\./)).toBeVisible()
    expect(screen.getByText(/RMSE of these arrays 0\.1400\./)).toBeInTheDocument()
  })

  it('says when a stored score is not that of the arrays', async () => {
    await openRow({ val_score: 0.5 })
    expect(await screen.findByText(/The stored RMSE is 0\.5000, but these arrays give 0\.1400/)).toBeVisible()
  })

  it('names the fault of an old release as a cause, and does not call its figure the one to trust', async () => {
    const { n, excluded } = { n: 4, excluded: 0 }
    const classification = { n, excluded, accuracy: 0.9, balanced_accuracy: 0.886, labels: [], confusion: [], per_class: [] }
    const change = { fold_kind: 'average', fold_id: 'avg', metric: 'balanced_accuracy', val_score: 0.525 } as const
    await openRow(change, { ...scatterOf('p0'), regression: null, classification })
    expect(await screen.findByText(/0\.5250, but these arrays give 0\.8860.*nirs4all 0\.7 stored a wrong balanced accuracy/)).toBeVisible()
    expect(screen.queryByText(/Judge the model by the stored score/)).not.toBeInTheDocument()
  })

  it('compares no new score with the arrays of before while these are read anew', async () => {
    const arrays = Promise.withResolvers<Scatter>()
    const answers = { score: 0.14, arrays: (): Scatter | Promise<Scatter> => scatterOf('p0') }
    const { client } = renderApp('/predictions?peek=p0', 'migrated', {
      'GET /predictions/:id': () =>
        PredictionDetail.parse({ ...prediction(0), val_score: answers.score, scores: {}, params: {}, siblings: [] }),
      'GET /predictions/:id/scatter': () => answers.arrays(),
    })
    await screen.findByText('RMSECV', { selector: 'dt' })
    Object.assign(answers, { score: 0.5, arrays: () => arrays.promise })
    void client.invalidateQueries()
    await waitFor(() => expect(client.isFetching()).toBe(1))
    expect(screen.queryByText(/The stored RMSE is/)).not.toBeInTheDocument()
    arrays.resolve(scatterOf('p0'))
    expect(await screen.findByText(/The stored RMSE is 0\.5000, but these arrays give 0\.1400/)).toBeVisible()
  })

  it('compares no stored score with the arrays of the row before, while its own load', async () => {
    const arrays = Promise.withResolvers<Scatter>()
    const of = (path: string) => (path.includes('/p1') ? { ...prediction(1), val_score: 0.5 } : { ...prediction(0), val_score: 0.14 })
    renderApp('/predictions?peek=p0&at=1', 'migrated', {
      'GET /predictions/:id': ({ path }) => PredictionDetail.parse({ ...of(path), scores: {}, params: {}, siblings: [] }),
      'GET /predictions/:id/scatter': ({ path }) => (path.includes('/p1') ? arrays.promise : scatterOf('p0')),
    })
    await screen.findByText('RMSECV', { selector: 'dt' })
    await userEvent.click(screen.getByRole('button', { name: 'Next row' }))
    expect(await screen.findByRole('heading', { name: 'PLS-1' })).toBeVisible()
    expect(screen.getByText('RMSE of these arrays', { selector: 'dt' })).toBeInTheDocument()
    expect(screen.queryByText(/The stored RMSE is/)).not.toBeInTheDocument()
    arrays.resolve(scatterOf('p1'))
    expect(await screen.findByText(/The stored RMSE is 0\.5000, but these arrays give 0\.1400/)).toBeVisible()
  })

  it('names in the legend only the lines that are drawn', async () => {
    const flat = scatterOf('p0')
    await openRow({ val_score: 0.14 }, { ...flat, regression: flat.regression && { ...flat.regression, slope: 'NaN', intercept: 'NaN' } })
    expect(await screen.findByText('1:1', { selector: 'span' })).toBeVisible()
    expect(screen.queryByText('fitted')).not.toBeInTheDocument()
  })

  it('pins a sample by keyboard in the chart and keeps it in the list and in the residuals', async () => {
    await openRow({ val_score: 0.14 })
    const chart = await screen.findByRole('img', { name: /Predicted against measured values/ })
    chart.focus()
    await userEvent.keyboard('{ArrowRight}{ArrowRight}{Enter}')
    expect(within(chart).getByText('Sample 20')).toBeInTheDocument()
    await userEvent.click(screen.getByRole('tab', { name: 'Residuals' }))
    expect(within(screen.getByRole('img', { name: /Residuals/ })).getByText('Sample 20')).toBeInTheDocument()
    await userEvent.click(screen.getByRole('tab', { name: 'Samples' }))
    await userEvent.click(screen.getByRole('button', { name: 'Unpin sample 20', pressed: true }))
    expect(screen.queryByRole('button', { pressed: true, name: /Unpin/ })).not.toBeInTheDocument()
  })

  it('names sample and target of each value, and says that the figures are over all targets', async () => {
    await openRow({ val_score: 0.14 }, { ...scatterOf('p0'), sample_indices: [7, 8] })
    expect(await screen.findByText(/^Each sample has 2 targets here/)).toBeVisible()
    await userEvent.click(screen.getByRole('tab', { name: 'Samples' }))
    expect(screen.getByText(/^2 samples, 4 values: 2 targets each/)).toBeVisible()
    expect(screen.getAllByRole('rowheader').map((cell) => cell.textContent)).toEqual([
      '7, target 0',
      '7, target 1',
      '8, target 0',
      '8, target 1',
    ])
    await userEvent.click(screen.getByRole('button', { name: 'Pin sample 8, target 0' }))
    await userEvent.click(screen.getByRole('tab', { name: 'Chart' }))
    const chart = screen.getByRole('img', { name: /Predicted against measured values/ })
    expect(within(chart).getByText('Sample 8, target 0')).toBeInTheDocument()
  })

  it('draws a pinned sample inside the residuals of many, and the greatest prediction', async () => {
    const many = Array.from({ length: 9000 }, (_, place) => (place === 400 ? 500 : place % 90))
    await openRow({ val_score: 0.14 }, { ...scatterOf('p0'), y_true: many, y_pred: many, sample_indices: many.map((_, place) => place) })
    await userEvent.click(await screen.findByRole('tab', { name: 'Samples' }))
    await userEvent.click(screen.getByText('400', { selector: 'button' }))
    await userEvent.click(screen.getByRole('tab', { name: 'Residuals' }))
    const ring = within(screen.getByRole('img', { name: /Residuals/ })).getByText('Sample 400').parentElement
    expect(Number(/translate\(([\d.]+)/.exec(ring?.getAttribute('transform') ?? '')?.[1])).toBeLessThan(392)
  })

  it.each([
    ['none where no row of the fold is of test samples', 'train', '–'],
    ['a score where one is', 'test', '0.0000'],
  ] as const)('shows a test score of 0 as %s', async (_, partition, shown) => {
    const sibling = { ...prediction(1), fold_id: '0', partition, test_score: 0 }
    await openRow({ fold_id: '0', partition: 'val', test_score: 0 }, scatterOf('p0'), { siblings: [sibling] })
    await userEvent.click(await screen.findByRole('tab', { name: 'Folds' }))
    const row = screen.getByRole('button', { name: 'Fold 0, val' }).closest('tr')
    expect(row?.cells[3]).toHaveTextContent(shown)
  })

  it('lists the row itself among its folds, a refit without a validation score', async () => {
    await openRow({ fold_id: 'final', fold_kind: 'refit', partition: 'test', val_score: 0 })
    await userEvent.click(await screen.findByRole('tab', { name: 'Folds' }))
    const row = within(screen.getByRole('tabpanel')).getByRole('row', { current: true })
    expect(row).toHaveTextContent(/^final\s*test\s*–\s*0\.4000/)
  })

  it('pairs no values of lists that differ in length', async () => {
    const scatter = scatterOf('p0')
    await openRow({}, { ...scatter, y_pred: scatter.y_pred.slice(1), regression: null })
    expect(await screen.findByText(/has 4 measured and 3 predicted values\. Which of them belong together cannot be told/)).toBeVisible()
    expect(screen.queryByRole('img', { name: /Predicted against measured/ })).not.toBeInTheDocument()
    await userEvent.click(screen.getByRole('tab', { name: 'Samples' }))
    expect(screen.getByText(/Which of them belong together cannot be told/)).toBeVisible()
  })

  it('says that there is nothing to draw in empty lists', async () => {
    await openRow({}, { ...scatterOf('p0'), y_true: [], y_pred: [], sample_indices: [] })
    expect(await screen.findByText(/are empty lists, so there is nothing to draw/)).toBeVisible()
  })

  it('does not ask for arrays that were never stored', async () => {
    const { sent } = await openRow({ has_arrays: false, arrays_state: 'none' })
    expect(await screen.findByText(/stored without its measured and predicted values/)).toBeVisible()
    expect(sent.some((request) => request.path.endsWith('/scatter'))).toBe(false)
  })

  it.each([
    ['damaged', 'arrays/wheat.parquet is damaged.'],
    ['missing', 'arrays/wheat.parquet is not there.'],
  ] as const)('names the file of arrays that is %s and what to do, and draws nothing', async (reason, sentence) => {
    const { sent } = await openRow({ has_arrays: false, arrays_state: 'unreadable' }, scatterOf('p0'), {
      unreadable_file: { path: 'arrays/wheat.parquet', reason, detail: 'It ends in the middle.' },
    })
    expect(await screen.findByRole('heading', { name: 'The values of this prediction cannot be read' })).toBeVisible()
    const panel = screen.getByRole('tabpanel')
    expect(panel).toHaveTextContent(sentence)
    expect(panel).toHaveTextContent(/Restore the file from a backup/)
    expect(within(panel).getByRole('link', { name: 'Go to the check' })).toHaveAttribute(
      'href',
      expect.stringContaining('/settings/storage'),
    )
    expect(screen.queryByText(/stored without/)).not.toBeInTheDocument()
    expect(sent.some((request) => request.path.endsWith('/scatter'))).toBe(false)
  })

  it.each([
    ['arrays_corrupt', 409],
    ['arrays_missing', 404],
  ] as const)('repeats what the server says of a file that has become unreadable since the table was loaded (%s)', async (code, status) => {
    await openRow({}, problem(status, code, 'arrays/wheat.parquet is not what it was.'))
    expect(await screen.findByText('arrays/wheat.parquet is not what it was.')).toBeVisible()
    expect(screen.queryByText(/stored without/)).not.toBeInTheDocument()
  })

  it('asks again for the arrays of a store that somebody held, without leaving the row', async () => {
    const answers: (Scatter | Response)[] = [problem(423, 'store_locked', 'Process 4711 has the store open.'), scatterOf('p0')]
    await openRow({ val_score: 0.14 }, () => answers.shift() ?? scatterOf('p0'))
    expect(await screen.findByText('Process 4711 has the store open.')).toBeVisible()
    await userEvent.click(within(screen.getByRole('tabpanel')).getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('RMSECV', { selector: 'dt' })).toBeVisible()
    expect(screen.queryByText('Process 4711 has the store open.')).not.toBeInTheDocument()
  })

  it('has no differences between the codes of classes', async () => {
    const classification = { n: 2, excluded: 0, accuracy: 0.9, balanced_accuracy: 0.886, labels: [], confusion: [], per_class: [] }
    await openRow({ task_type: 'multiclass', metric: 'accuracy' }, { ...scatterOf('p0'), regression: null, classification })
    await userEvent.click(await screen.findByRole('tab', { name: 'Samples' }))
    expect(await screen.findByRole('columnheader', { name: 'Predicted' })).toBeVisible()
    expect(screen.queryByRole('columnheader', { name: 'Predicted − measured' })).not.toBeInTheDocument()
  })

  it('does not call all rows of one name the same model where nothing tells models apart', async () => {
    const { prediction_id: _, ...row } = prediction(1)
    const siblings = Array.from({ length: 600 }, (__, place) => ({ ...row, prediction_id: `s${place}` }))
    await openRow({ chain_id: null, pipeline_id: null }, scatterOf('p0'), {
      siblings: siblings.map((one) => PredictionDetail.shape.siblings.element.parse(one)),
    })
    await userEvent.click(await screen.findByRole('tab', { name: 'Folds' }))
    const table = await screen.findByRole('table', { name: /does not tell apart models of one name\. The first 500 of 601 are shown/ })
    expect([500, 501]).toContain(within(table).getAllByRole('row').length - 1)
  })
})
